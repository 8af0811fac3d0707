prepare_gcc
cd build
rm -rf gcc
../libstdc++-v3/configure --prefix=/usr --libdir=/usr/lib --build="$BUILD" --host="$TARGET" --with-gcc-major-version-only \
  --disable-libstdcxx-pch --disable-multilib --disable-nls --with-gxx-include-dir="$CROSS/$TARGET/include/c++/14"
make
make install DESTDIR="$OUT$SYSROOT"
mv "$OUT$SYSROOT$CROSS" "$OUT$CROSS"
find "$OUT" -name '*.la' -delete
