/** How RPMs become the lowest layer of build roots: the two scripts that run in the sandbox, and what is written beside the packages. */

/** Raise it when the same packages give another layer. */
export const RPM_TOOLCHAIN_RECIPE_VERSION = 1;

/** Places in the sandboxes of both steps. */
export const RPMS_PLACE = '/kiln/rpms';
export const ROOT_PLACE = '/kiln/root';

/**
 * Step one, by the machine's rpm2cpio and cpio: files only, nothing of the packages runs. The result is only there to run rpm in; links
 * make all directories of programs and of libraries one.
 */
export const UNPACK_SCRIPT = `
set -euo pipefail
for program in rpm2cpio cpio; do
  command -v $program > /dev/null || { echo "the machine has no $program" >&2; exit 127; }
done
cd ${ROOT_PLACE}
mkdir -p usr/bin usr/sbin usr/lib etc
for name in bin sbin lib; do ln -s usr/$name $name; done
ln -s usr/lib lib64
ln -s lib usr/lib64
for file in ${RPMS_PLACE}/*.rpm; do
  rpm2cpio "$file" | cpio --extract --make-directories --no-absolute-filenames --quiet --no-preserve-owner 2> /tmp/said || {
    echo "\${file##*/}: $(head -n 3 /tmp/said)" >&2
    exit 1
  }
done
find . -type d ! -perm -700 -exec chmod u+rwx {} +
find . -type f ! -perm -400 -exec chmod u+r {} +
`;

/** Below the root while rpm works, and removed with it: build roots have a database of their own. */
const DATABASE = '/kiln-rpmdb';

/**
 * Step two, in the root of step one, by the packages' own rpm: one transaction with all scriptlets. Signatures were checked before. Then
 * everything belongs to one user, nothing is privileged and all of it can be read; the device nodes that rpm needed are mounted, not there.
 */
export const INSTALL_SCRIPT = `
set -euo pipefail
rpm --root ${ROOT_PLACE} --define '_dbpath ${DATABASE}' --define '_db_backend sqlite' --noplugins --nosignature --install ${RPMS_PLACE}/*.rpm
cd ${ROOT_PLACE}
rm -rf .${DATABASE}
find . -path ./dev -prune -o \\( -type b -o -type c -o -type p -o -type s \\) -exec rm {} +
find . -path ./dev -prune -o -exec chown -h 0:0 {} +
find . -path ./dev -prune -o -type d ! -perm -700 -exec chmod u+rwx {} +
find . -path ./dev -prune -o -type f -exec chmod u+r,ug-s {} +
`;

/** Programs without which Kiln can't build in a root. Of those in one line one is enough. */
export const NEEDED_PROGRAMS: readonly (readonly string[])[] = [
  ['bash'],
  ['rpm'],
  ['rpmbuild'],
  ['find'],
  ['mkdir'],
  ['rpm2cpio', 'rpm2archive'],
  ['cpio', 'tar'],
];

export const LAYER_DIRECTORIES = ['proc', 'dev', 'sys', 'run', 'tmp', 'var/tmp', 'usr/src', 'home', 'root', 'etc'];

/** The user that builds, where the packages' own lists don't have it. */
export const BUILDER_LINES: Readonly<Record<string, string>> = {
  'etc/passwd': 'builder:x:1000:1000:builder:/tmp:/bin/bash',
  'etc/group': 'builder:x:1000:',
};

/** Files that programs of a build expect, where no package has them. */
export const MISSING_FILES: Readonly<Record<string, string>> = {
  'etc/hosts': '127.0.0.1 localhost builder\n::1 localhost builder\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n',
};
