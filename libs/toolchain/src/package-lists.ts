/** Azure Linux's text manifests: file names of RPMs, one a line. */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';

export interface ListedRpm {
  /** `<name>-<version>-<release>.<arch>.rpm`: without an epoch, as file names have none. */
  readonly fileName: string;
  readonly name: string;
  readonly location: SourceLocation;
}

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
    if (name === undefined) {
      throw new BuildError('TOOLCHAIN_LIST_INVALID', `'${line}' is no file name of an RPM`, {
        location,
        hint: 'each line is <name>-<version>-<release>.<architecture>.rpm',
      });
    }
    return [{ fileName: line, name, location }];
  });
}
