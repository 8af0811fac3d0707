./Configure linux-x86_64 --cross-compile-prefix="$TARGET-" --prefix=/usr --libdir=lib --openssldir=/etc/pki/tls \
  no-shared no-tests no-apps no-docs no-module no-dso
make build_generated
make libcrypto.a
prefix=$OUT$SYSROOT/usr
install -D -m 0644 -t "$prefix/include/openssl" include/openssl/*.h
install -D -m 0644 -t "$prefix/lib" libcrypto.a
