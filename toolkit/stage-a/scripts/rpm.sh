# Its libraries are part of its programs, so that those of packages can take no other's place.
sed -i 's,^%_dbpath.*,%_dbpath\t\t%{_usr}/lib/sysimage/rpm,' macros.in
sed -i '/\\page \|\\verbatim\|\\endverbatim/d' rpmrc.in rpmpopt.in
export LUA_CFLAGS=' ' LUA_LIBS='-llua -lm'
./configure --prefix=/usr --libdir=/usr/lib --sysconfdir=/etc --localstatedir=/var --build="$BUILD" --host="$TARGET" "${OPTIONS[@]}" \
  LIBS='-larchive -ldw -lelf -leu -lcrypto -lzstd -llzma -lbz2 -lz -lm'
make
make install DESTDIR="$OUT$SYSROOT"
find "$OUT" -name '*.la' -delete
sed -i 's/lib64$/lib/' "$OUT$SYSROOT"/usr/lib/rpm/platform/*/macros
mkdir -p "$OUT$SYSROOT/etc/rpm" "$OUT$SYSROOT/usr/lib/rpm/macros.d"
