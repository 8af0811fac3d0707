configure_and_make
install_made
prefix=$OUT$SYSROOT/usr
ln -s pkgconf "$prefix/bin/pkg-config"
# Configure scripts are made with its macros; its library is that of the program.
rm -r "$prefix/include" "$prefix/lib"
