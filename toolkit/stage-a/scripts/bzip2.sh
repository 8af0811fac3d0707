make CC="$TARGET-gcc" AR="$TARGET-ar" RANLIB="$TARGET-ranlib" bzip2 bzip2recover libbz2.a
prefix=$OUT$SYSROOT/usr
install -D -m 0755 -t "$prefix/bin" bzip2 bzip2recover
ln -s bzip2 "$prefix/bin/bunzip2"
ln -s bzip2 "$prefix/bin/bzcat"
install -D -m 0644 -t "$prefix/include" bzlib.h
install -D -m 0644 -t "$prefix/lib" libbz2.a
