# Both compilers have the name that gcc.spec gives: what is compiled bears it, and start files bring it into what they are linked with.
# The tarball has that of gcc in it; three libraries are built with the compiler.
prepare_gcc() {
  cd ..
  mkdir gcc
  tar -xf source/gcc-*-dfsg.tar.xz -C gcc --strip-components=1
  for library in gmp mpfr libmpc; do unpack "$library" "gcc/${library#lib}"; done
  cd gcc
  # The manual of gmp was taken out of its tarball.
  sed -i 's/ doc\/Makefile//' gmp/configure
  sed -i '/^SUBDIRS = /s/ doc$//' gmp/Makefile.in
  # There is one directory of libraries.
  sed -i '/m64=/s/lib64/lib/' gcc/config/i386/t-linux64
  # A manual that is empty can't be compared with what the sources document.
  sed -i 's,^s-tm-texi: build/genhooks.*,s-tm-texi:,' gcc/Makefile.in
  mkdir -p build/gcc
  touch build/gcc/s-tm-texi
}
