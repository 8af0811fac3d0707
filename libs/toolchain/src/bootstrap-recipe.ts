/** What every step of a bootstrap finds in its sandbox. */

/** Raise it when the same step gives other files. */
export const BOOTSTRAP_RECIPE_VERSION = 1;

/** Where the cross tools are, on the seed. */
export const CROSS_PLACE = '/cross';

/** Where the new root is, on the seed. */
export const TARGET_PLACE = '/target';

/** Where a step leaves its files, where it works, and where its sources are. */
export const OUTPUT_PLACE = '/out';
export const BUILD_PLACE = '/build';
export const SOURCES_PLACE = '/sources';

/** Comes before the scripts of a step; OPTIONS are its arguments. */
export const STEP_PRELUDE = `
set -euo pipefail
OPTIONS=("$@")
unpack() {
  mkdir -p "$2"
  tar -xf "${SOURCES_PLACE}/$1" -C "$2" --strip-components=1 --no-same-owner
}
if [ -n "$FIRST" ]; then
  unpack "$FIRST" source
  cd source
fi
`;
