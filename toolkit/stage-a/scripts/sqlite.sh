./configure --prefix=/usr --libdir=/usr/lib --build="$BUILD" --host="$TARGET" "${OPTIONS[@]}"
make sqlite3.c sqlite3.h
"$TARGET-gcc" -O2 -c -DSQLITE_THREADSAFE=1 sqlite3.c
"$TARGET-ar" rc libsqlite3.a sqlite3.o
prefix=$OUT$SYSROOT/usr
install -D -m 0644 -t "$prefix/include" sqlite3.h
install -D -m 0644 -t "$prefix/lib" libsqlite3.a
install -D -m 0644 -t "$prefix/lib/pkgconfig" sqlite3.pc
