CC="$TARGET-gcc" AR="$TARGET-ar" RANLIB="$TARGET-ranlib" ./configure --static --prefix=/usr --libdir=/usr/lib
make libz.a
make install DESTDIR="$OUT$SYSROOT"
