mkdir -p "$OUT$SYSROOT"
# One directory of libraries and one of programs, as the package filesystem has them.
cd "$OUT$SYSROOT"
mkdir -p usr/{bin,sbin,lib,libexec,include,share,src} etc proc dev sys run tmp var/{tmp,lib,cache,log} root home
chmod 1777 tmp var/tmp
for link in bin sbin lib; do ln -s usr/$link $link; done
ln -s usr/lib lib64
ln -s lib usr/lib64
echo root:x:0:0:root:/root:/bin/bash > etc/passwd
echo builder:x:1000:1000:builder:/tmp:/bin/bash >> etc/passwd
echo nobody:x:65534:65534:nobody:/:/usr/sbin/nologin >> etc/passwd
printf '%s\n' root:x:0: builder:x:1000: nobody:x:65534: > etc/group
printf '%s\n' '127.0.0.1 localhost builder' '::1 localhost builder' > etc/hosts
printf '%s: files\n' passwd group hosts services protocols > etc/nsswitch.conf
: > etc/fstab
: > etc/ld.so.conf
