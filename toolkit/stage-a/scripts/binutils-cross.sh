# Assembler and linker for the target, which run on the seed.
mkdir build && cd build
../configure --prefix="$CROSS" --target="$TARGET" --with-sysroot="$SYSROOT" \
  --disable-gprofng --disable-nls --disable-werror --disable-shared \
  --enable-default-hash-style=gnu --enable-deterministic-archives --enable-new-dtags --enable-relro MAKEINFO=true
make MAKEINFO=true
make install-strip DESTDIR="$OUT" MAKEINFO=true
