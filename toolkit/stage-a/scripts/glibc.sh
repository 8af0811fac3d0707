# The manual was taken out of the tarball.
sed -i '/^all-subdirs/,/[^\\]$/ s/ manual / /' Makeconfig
mkdir build && cd build
echo 'rootsbindir = /usr/sbin' > configparms
../configure --prefix=/usr --build="$BUILD" --host="$TARGET" --with-headers="$SYSROOT/usr/include" \
  --libdir=/usr/lib --libexecdir=/usr/libexec --enable-kernel=5.10 --enable-stack-protector=strong --enable-bind-now --enable-cet \
  --disable-build-nscd --disable-nscd --disable-profile --disable-timezone-tools --disable-werror \
  libc_cv_slibdir=/usr/lib libc_cv_rtlddir=/lib64
make
# The dynamic linker is installed through the link that the root has.
mkdir -p "$OUT$SYSROOT/usr/lib"
ln -s usr/lib "$OUT$SYSROOT/lib64"
make install install_root="$OUT$SYSROOT"
rm "$OUT$SYSROOT/lib64"
mkdir -p "$OUT$SYSROOT/usr/lib/locale"
I18NPATH=../localedata elf/ld.so --library-path .:elf:nss:resolv locale/localedef --prefix="$OUT$SYSROOT" --no-archive --quiet \
  -i ../localedata/locales/C -f ../localedata/charmaps/UTF-8 C.UTF-8
rm -rf "$OUT$SYSROOT/var/db" "$OUT$SYSROOT/usr/share/i18n" "$OUT$SYSROOT/usr/share/locale"
# Only its own programs may load what stands beside it.
sed -i '/RTLDLIST=/s,/usr,,g' "$OUT$SYSROOT/usr/bin/ldd"
