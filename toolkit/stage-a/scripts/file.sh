# The data base of signatures is compiled by this version alone.
mkdir native
(cd native && ../configure --disable-shared --disable-bzlib --disable-libseccomp --disable-xzlib --disable-zlib --disable-zstdlib --disable-lzlib --disable-lrziplib && make)
./configure --prefix=/usr --libdir=/usr/lib --build="$BUILD" --host="$TARGET" "${OPTIONS[@]}"
make FILE_COMPILE="$PWD/native/src/file"
install_made
