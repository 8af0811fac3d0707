# The examples that make takes from the manual are in the tarball, which the manual was taken out of.
touch -r awklib/stamp-eg doc/gawktexi.in doc/gawkinet.texi
export MAKEFLAGS="$MAKEFLAGS INFO_DEPS="
configure_and_make
install_made
