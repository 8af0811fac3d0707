configure_and_make
install_made
ln -s bash "$OUT$SYSROOT/usr/bin/sh"
