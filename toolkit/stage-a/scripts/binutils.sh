mkdir build && cd build
../configure --prefix=/usr --libdir=/usr/lib --build="$BUILD" --host="$TARGET" --disable-gprofng --disable-nls --disable-werror --disable-shared \
  --enable-default-hash-style=gnu --enable-deterministic-archives --enable-new-dtags --enable-plugins --enable-relro --enable-separate-code \
  --with-lib-path=/usr/lib:/usr/local/lib MAKEINFO=true
make tooldir=/usr MAKEINFO=true
make install-strip tooldir=/usr DESTDIR="$OUT$SYSROOT" MAKEINFO=true
find "$OUT" -name '*.la' -delete
