/** Azure Linux's text manifests: file names of RPMs, or names of packages, one a line. */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';

export interface ListedRpm {
  /** `<name>-<version>-<release>.<arch>.rpm`: without an epoch, as file names have none. Absent where any version will do. */
  readonly fileName?: string;
  readonly name: string;
  readonly location: SourceLocation;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;
const FILE_NAME = /^(?<name>[^\s/]+)-[^\s/-]+-[^\s/-]+\.\w+\.rpm$/;

/**
 * Empty lines and those that begin with `#` are passed over. `file` is how the list is called in messages.
 * @throws BuildError `TOOLCHAIN_LIST_INVALID` at the line.
 */
export function parsePackageList(text: string, file: string): ListedRpm[] {
  return text.split('\n').flatMap((written, at): ListedRpm[] => {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) return [];
    const location = { file, line: at + 1 };
    const name = FILE_NAME.exec(line)?.groups?.['name'];
    if (name !== undefined) return [{ fileName: line, name, location }];
    if (!NAME.test(line) || line.endsWith('.rpm')) {
      throw new BuildError(
        'TOOLCHAIN_LIST_INVALID',
        `'${line}' is neither the file name of an RPM nor the name of a package`,
        {
          location,
          hint: 'each line is <name>-<version>-<release>.<architecture>.rpm, or <name>',
        },
      );
    }
    return [{ name: line, location }];
  });
}
