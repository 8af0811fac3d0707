/** The life of packages in a root of their own, as two shell scripts: installed, verified, upgraded, and erased. */

/** Places in the sandbox. */
export const ROOT = '/image';
export const PACKAGES = '/packages';
export const OUTPUT = '/output';

/** Each writes its messages to `OUTPUT/<step>` and its status to `OUTPUT/<step>.status`. */
export const STEPS = ['install', 'verify-installed', 'upgrade', 'verify-upgraded', 'erase', 'verify-kept'] as const;

/** Files of erased packages, and directories with something in them, that are there although no package has them any more; one in a line. */
export const LEFT_BEHIND = 'left-behind';

/** Files of the packages that stay, one in a line. */
export const KEPT = 'kept';

const BEGIN = `
set -u
run() { command rpm --root ${ROOT} --define '_dbpath /usr/lib/sysimage/rpm' --noplugins --nosignature "$@"; }
step() {
  local name=$1
  shift
  "$@" > "${OUTPUT}/$name" 2>&1
  echo $? > "${OUTPUT}/$name.status"
}
`;

/** An upgrade replaces each package by itself: rpm runs the scriptlets and triggers of a new package and of an old one. */
export const INSTALL_SCRIPT = `${BEGIN}
step install run --install ${PACKAGES}/*.rpm
step verify-installed run --verify --all
step upgrade run --upgrade --replacepkgs ${PACKAGES}/*.rpm
step verify-upgraded run --verify --all
`;

/** Its arguments are the names of the packages to erase; what requires them goes with them. */
export const ERASE_SCRIPT = `${BEGIN}
files_of() { run --query --queryformat '[%{FILENAMES}\\n]' "$@" 2> /dev/null | sort -u; }
erased=("$@")
while ! said=$(LC_ALL=C run --erase --test "\${erased[@]}" 2>&1); do
  mapfile -t more < <(sed -n 's/.* is needed by (installed) //p' <<< "$said" | sort -u)
  test "\${#more[@]}" -gt 0 || break
  erased+=("\${more[@]}")
done
files_of "\${erased[@]}" > /tmp/erased
step erase run --erase "\${erased[@]}"
step verify-kept run --verify --all
files_of --all > ${OUTPUT}/${KEPT}
comm -23 /tmp/erased ${OUTPUT}/${KEPT} | while IFS= read -r file; do
  # Empty directories stay when packages require one another: the one that has them goes before the others.
  if test -n "$(find "${ROOT}$file" ! -type d -print -quit 2> /dev/null)"; then echo "$file"; fi
done > ${OUTPUT}/${LEFT_BEHIND}
`;
