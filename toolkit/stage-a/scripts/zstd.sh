make -C lib CC="$TARGET-gcc" AR="$TARGET-ar" libzstd.a
make -C programs CC="$TARGET-gcc" AR="$TARGET-ar" HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 zstd
prefix=$OUT$SYSROOT/usr
install -D -m 0755 -t "$prefix/bin" programs/zstd
ln -s zstd "$prefix/bin/unzstd"
ln -s zstd "$prefix/bin/zstdcat"
install -D -m 0644 -t "$prefix/include" lib/zstd.h lib/zdict.h lib/zstd_errors.h
install -D -m 0644 -t "$prefix/lib" lib/libzstd.a
make -C lib PREFIX=/usr LIBDIR=/usr/lib DESTDIR="$OUT$SYSROOT" install-pc
