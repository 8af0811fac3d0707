# The usual three steps; OPTIONS are those of one package.
configure_and_make() {
  ./configure --prefix=/usr --bindir=/usr/bin --sbindir=/usr/sbin --libdir=/usr/lib --libexecdir=/usr/libexec \
    --sysconfdir=/etc --localstatedir=/var --build="$BUILD" --host="$TARGET" "${OPTIONS[@]}"
  make MAKEINFO=true
}
install_made() {
  make install DESTDIR="$OUT$SYSROOT" MAKEINFO=true
  find "$OUT" -name '*.la' -delete
}
