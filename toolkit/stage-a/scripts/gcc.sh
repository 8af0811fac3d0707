# The compiler of the target itself, with its libraries. It is used to build the packages and then thrown away: it is compiled quickly.
prepare_gcc
# The libraries are for threads, which the cross compiler was made without.
sed -i '/thread_header =/s/@.*@/gthr-posix.h/' libgcc/Makefile.in libstdc++-v3/include/Makefile.in
cd build
export CFLAGS=-O1 CXXFLAGS=-O1
../configure --prefix=/usr --bindir=/usr/bin --libdir=/usr/lib --libexecdir=/usr/libexec \
  --build="$BUILD" --host="$TARGET" --target="$TARGET" --with-build-sysroot="$SYSROOT" \
  LDFLAGS_FOR_TARGET="-L$PWD/$TARGET/libgcc" --with-gxx-include-dir=/usr/include/c++/14 --with-gcc-major-version-only --with-pkgversion=Kiln --without-isl --without-zstd \
  --enable-__cxa_atexit --enable-cet --enable-checking=release --enable-clocale=gnu --enable-default-pie --enable-gnu-unique-object \
  --enable-initfini-array --enable-languages=c,c++ --enable-linker-build-id --enable-plugin --enable-shared --enable-threads=posix \
  CFLAGS_FOR_TARGET=-O2 CXXFLAGS_FOR_TARGET=-O2 --disable-analyzer --disable-bootstrap --disable-fixincludes --disable-libcc1 --disable-libitm --disable-libquadmath --disable-libsanitizer --disable-libssp \
  --disable-libstdcxx-pch --disable-libvtv --disable-multilib --disable-nls --disable-werror \
  --with-arch=x86-64 --with-default-libstdcxx-abi=new --with-linker-hash-style=gnu MAKEINFO=true
make MAKEINFO=true
make install-strip DESTDIR="$OUT$SYSROOT" MAKEINFO=true
find "$OUT" -name '*.la' -delete
ln -s gcc "$OUT$SYSROOT/usr/bin/cc"
mkdir -p "$OUT$SYSROOT/usr/lib/bfd-plugins"
ln -s "../../libexec/gcc/$TARGET/14/liblto_plugin.so" "$OUT$SYSROOT/usr/lib/bfd-plugins/liblto_plugin.so"
