configure_and_make
prefix=$OUT$SYSROOT/usr
install -D -m 0644 -t "$prefix/include" libelf/libelf.h libelf/gelf.h libelf/nlist.h libdw/dwarf.h
install -D -m 0644 -t "$prefix/include/elfutils" version.h libelf/elf-knowledge.h libdw/known-dwarf.h libdw/libdw.h libdwfl/libdwfl.h libebl/libebl.h libdwelf/libdwelf.h
install -D -m 0644 -t "$prefix/lib" libelf/libelf.a libdw/libdw.a
