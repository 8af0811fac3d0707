configure_and_make
install_made
ln -s pkgconf "$OUT$SYSROOT/usr/bin/pkg-config"
