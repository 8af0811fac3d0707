make headers
find usr/include -type f ! -name '*.h' -delete
mkdir -p "$OUT$SYSROOT/usr"
cp -r usr/include "$OUT$SYSROOT/usr/"
