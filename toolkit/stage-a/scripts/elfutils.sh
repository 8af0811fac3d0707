# The static libraries alone: shared ones would have to be linked with static ones, and nobody needs the programs.
./configure --prefix=/usr --libdir=/usr/lib --build="$BUILD" --host="$TARGET" "${OPTIONS[@]}"
make -C lib libeu.a
make -C libelf libelf.a
make -C libcpu libcpu.a
make -C backends libebl_backends.a
make -C libebl libebl.a
make -C libdwelf libdwelf.a
make -C libdwfl libdwfl.a
make -C libdw libdw.a
prefix=$OUT$SYSROOT/usr
install -D -m 0644 -t "$prefix/include" libelf/libelf.h libelf/gelf.h libelf/nlist.h libdw/dwarf.h
install -D -m 0644 -t "$prefix/include/elfutils" version.h libelf/elf-knowledge.h libdw/known-dwarf.h libdw/libdw.h libdwfl/libdwfl.h libebl/libebl.h libdwelf/libdwelf.h
install -D -m 0644 -t "$prefix/lib" lib/libeu.a libelf/libelf.a libdw/libdw.a
