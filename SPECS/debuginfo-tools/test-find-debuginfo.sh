#!/usr/bin/bash
# The test of find-debuginfo: a small package, split in the ways that packages are.
#   test-find-debuginfo.sh <find-debuginfo> <directory of edit-debug-paths>
set -euo pipefail
find_debuginfo=$(realpath "$1")
FIND_DEBUGINFO_PROGRAMS=$(realpath "$2")
export FIND_DEBUGINFO_PROGRAMS
fail() { echo "FAILED: $*" >&2; exit 1; }

# Sets up BUILD/bake-1 and ROOT in a new directory, and goes there.
bake() {
    top=$(mktemp -d -p "$PWD")
    export RPM_BUILD_DIR=$top/BUILD RPM_BUILD_ROOT=$top/ROOT
    mkdir -p "$RPM_BUILD_DIR"/bake-1/{src,include} "$RPM_BUILD_ROOT"/usr/{bin,lib}
    cd "$RPM_BUILD_DIR/bake-1"
    echo 'static inline int twice(int n) { return 2 * n; }' > include/twice.h
    printf '#include <stdio.h>\n#include "../include/twice.h"\nint main(int c, char **v) { printf("%%d\\n", twice(c)); return v == 0; }\n' > src/bake.c
    printf '#include "twice.h"\nint four(int n) { return twice(twice(n)); }\n' > src/four.c
    printf '.globl nothing\nnothing: ret\n.section .note.GNU-stack,"",@progbits\n' > src/nothing.S
    (cd src && gcc -g -O1 -Wl,--build-id=sha1 -o "$RPM_BUILD_ROOT/usr/bin/bake" bake.c "$PWD/nothing.S")
    gcc -g -shared -fPIC -Wl,--build-id=sha1 -Iinclude -o "$RPM_BUILD_ROOT/usr/lib/libfour.so.1" "$PWD/src/four.c"
    ln "$RPM_BUILD_ROOT/usr/bin/bake" "$RPM_BUILD_ROOT/usr/bin/bake-again"
    chmod 0555 "$RPM_BUILD_ROOT/usr/bin/bake"
    printf '#!/bin/sh\necho script\n' > "$RPM_BUILD_ROOT/usr/bin/script"
    chmod 0755 "$RPM_BUILD_ROOT/usr/bin/script"
    linked=$(build_id usr/bin/bake)
}

build_id() { eu-readelf -n "$RPM_BUILD_ROOT/$1" | sed -n 's/.*Build ID: //p'; }

split() {
    "$find_debuginfo" -j2 --strict-build-id --unique-debug-suffix -1-1.x --unique-debug-src-base bake-1-1.with-a-longer-name.x \
        -S debugsourcefiles.list "$@" "$RPM_BUILD_DIR/bake-1"
}

sources=/usr/src/debug/bake-1-1.with-a-longer-name.x
bake
split --build-id-seed 1-1
root=$RPM_BUILD_ROOT debug=$RPM_BUILD_ROOT/usr/lib/debug
test "$("$root/usr/bin/bake")" = 2 || fail 'the program is another one'
test "$("$root/usr/bin/bake-again")" = 2
test "$(stat -c '%a %h' "$root/usr/bin/bake")" = '555 2' || fail 'mode or names of the program changed'
if eu-elfclassify --unstripped "$root/usr/bin/bake"; then fail 'the program is not stripped'; fi
for file in usr/bin/bake usr/lib/libfour.so.1; do
    eu-elfclassify --debug-only "$debug/$file-1-1.x.debug"
    test "$(build_id "$file")" = "$(eu-readelf -n "$debug/$file-1-1.x.debug" | sed -n 's/.*Build ID: //p')" || fail 'build-ids differ'
    lines=$(eu-readelf --debug-dump=decodedline "$debug/$file-1-1.x.debug"; eu-readelf --debug-dump=info "$debug/$file-1-1.x.debug")
    case $lines in *"$RPM_BUILD_DIR"*) fail "$file names the build directory" ;; esac
done
test ! -e "$debug/usr/bin/bake-again-1-1.x.debug" || fail 'a second name was split'
address=$(eu-readelf -s "$debug/usr/bin/bake-1-1.x.debug" | awk '$8 == "main" { print "0x" $2 }')
test "$(eu-addr2line -e "$debug/usr/bin/bake-1-1.x.debug" "$address" | cut -d: -f1,2)" = "$sources/src/bake.c:3" || fail 'main is not found in its source'
(cd "$root/$sources" && find . -type f | LC_ALL=C sort) > found
printf './%s\n' include/twice.h src/bake.c src/four.c src/nothing.S | diff - found
test "$(cat debugsourcefiles.list)" = "$sources"
LC_ALL=C sort > expected <<LIST
%dir /usr/lib/debug
%dir /usr/lib/debug/usr
%dir /usr/lib/debug/usr/bin
%dir /usr/lib/debug/usr/lib
/usr/lib/debug/usr/bin/bake-1-1.x.debug
/usr/lib/debug/usr/lib/libfour.so.1-1-1.x.debug
LIST
LC_ALL=C sort debugfiles.list | diff expected -
test "$(build_id usr/bin/bake)" != "$linked" || fail 'the build-id is that of the linker'

# The same seed makes the same build-id, another one another, and -n leaves that of the linker.
cd "$OLDPWD" && bake
linked_here=$linked
split -n --build-id-seed 1-1
test "$(build_id usr/bin/bake)" = "$linked_here" || fail 'the build-id changed without a reason'
gcc -g -Wl,--build-id=sha1 -o again-1 src/bake.c
cp again-1 again-2
cp again-1 again-3
"$FIND_DEBUGINFO_PROGRAMS/edit-debug-paths" -s 1 "$PWD" /x again-1 > /dev/null
"$FIND_DEBUGINFO_PROGRAMS/edit-debug-paths" -s 1 "$PWD" /x again-2 > /dev/null
"$FIND_DEBUGINFO_PROGRAMS/edit-debug-paths" -s 2 "$PWD" /x again-3 > /dev/null
cmp again-1 again-2
if cmp -s again-1 again-3; then fail 'seeds make no difference'; fi

# Split files are left alone; a file without build-id is an error, and so is what isn't supported.
before=$(sha256sum < "$RPM_BUILD_ROOT/usr/bin/bake")
split
test "$(sha256sum < "$RPM_BUILD_ROOT/usr/bin/bake")" = "$before" || fail 'a stripped program changed'
gcc -g -Wl,--build-id=none -o "$RPM_BUILD_ROOT/usr/bin/without" src/bake.c
if split 2> message; then fail 'a file without build-id is no error'; fi
grep -q '/usr/bin/without has no build-id' message
rm "$RPM_BUILD_ROOT/usr/bin/without"
if split -m 2> message; then fail '-m is no error'; fi
grep -q 'option -m' message
# Modules of the kernel, and code of older compilers.
gcc -g -c -o "$RPM_BUILD_ROOT/usr/lib/four.ko" -Iinclude src/four.c
gcc -gdwarf-4 -Wl,--build-id=sha1 -o "$RPM_BUILD_ROOT/usr/bin/old" src/bake.c
"$find_debuginfo" --unique-debug-suffix -1 "$RPM_BUILD_DIR/bake-1" 2> message
grep -q 'DWARF 4' message
test -e "$RPM_BUILD_ROOT/usr/lib/debug/usr/lib/four.ko-1.debug"
eu-readelf -s "$RPM_BUILD_ROOT/usr/lib/four.ko" | grep -qw four || fail 'a module lost its symbols'
echo 'find-debuginfo: all tests passed'
