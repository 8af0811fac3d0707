# Compilers of C and C++ for a target that has no C library yet. They are used for this root alone: they are compiled quickly.
prepare_gcc
cd build
export CFLAGS=-O1 CXXFLAGS=-O1
../configure --prefix="$CROSS" --target="$TARGET" --with-sysroot="$SYSROOT" \
  --with-gcc-major-version-only --with-pkgversion=Kiln --with-glibc-version=2.41 --with-newlib --without-headers --without-isl --without-zstd \
  --enable-default-pie --enable-default-ssp --enable-languages=c,c++ --enable-checking=release --enable-initfini-array \
  CFLAGS_FOR_TARGET=-O2 CXXFLAGS_FOR_TARGET=-O2 --disable-analyzer --disable-bootstrap --disable-c++-tools --disable-fixincludes --disable-libatomic --disable-libcc1 --disable-libgomp --disable-libquadmath --disable-libsanitizer \
  --disable-libssp --disable-libstdcxx --disable-libvtv --disable-lto --disable-multilib --disable-nls --disable-plugin --disable-shared --disable-threads \
  --disable-werror --with-linker-hash-style=gnu MAKEINFO=true
make MAKEINFO=true
make install-strip DESTDIR="$OUT" MAKEINFO=true
# Without a C library the compiler got a short limits.h; what glibc's needs of it stands in three parts.
cat ../gcc/limitx.h ../gcc/glimits.h ../gcc/limity.h > "$OUT$CROSS/lib/gcc/$TARGET/14/include/limits.h"
