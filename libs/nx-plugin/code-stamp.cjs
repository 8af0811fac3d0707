/** Whether Kiln's own code is still the code that this process has loaded: Nx's daemon lives on while code is edited or installed anew. */
const { readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');

/** Times and sizes of all files of the libraries beside this one: sources inside the repository, compiled files in an installation. */
function codeStamp() {
  const libraries = join(__dirname, '..');
  return readdirSync(libraries)
    .flatMap((library) => ['src', 'dist'].flatMap((part) => filesBelow(join(libraries, library, part))))
    .join('\n');
}

function filesBelow(directory) {
  let names;
  try {
    names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .filter((name) => /\.[cm]?[jt]s$/.test(name))
    .map((name) => {
      const { ctimeMs, size } = statSync(join(directory, name), { throwIfNoEntry: false }) ?? {};
      return `${directory} ${name} ${ctimeMs} ${size}`;
    });
}

const loaded = codeStamp();

exports.isCodeCurrent = () => codeStamp() === loaded;
