/** The paths in the %files sections of an expanded spec: what a package will contain, as far as the text tells. */

const SECTION =
  /^%(?:description|package|prep|generate_buildrequires|conf|build|install|check|clean|changelog|files|sepolicy|verifyscript|pre|post|preun|postun|pretrans|posttrans|preuntrans|postuntrans|trigger\w*|filetrigger\w*|transfiletrigger\w*)\b/;
const DIRECTIVES =
  /%(?:dir|doc|license|config|ghost|attr|verify|lang|caps|readme|missingok|artifact)\b(?:\s*\([^)]*\))?/g;

/** Paths and globs by package name. `text` is what `rpmspec --parse` prints; a name with `-n` is whole, else below `mainName`. */
export function filesSections(text: string, mainName: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let paths: string[] | undefined;
  for (const line of text.split('\n')) {
    if (SECTION.test(line)) {
      const name = line.startsWith('%files') ? packageOf(line, mainName) : undefined;
      paths = name === undefined ? undefined : (found.get(name) ?? []);
      if (name !== undefined) found.set(name, paths!);
    } else if (paths !== undefined && !/^\s*(?:#|%exclude|%defattr)/.test(line)) {
      paths.push(...pathsOf(line));
    }
  }
  return found;
}

/** The package that a `%files` line is about: options `-f list`, `-n name`, then a name (parseFiles(), build/parseFiles.c). */
function packageOf(header: string, mainName: string): string {
  const words = header.split(/\s+/).slice(1).filter(Boolean);
  let isWhole = false;
  let name: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === '-f') at += 1;
    else if (words[at] === '-n') isWhole = true;
    else if (!words[at]!.startsWith('-')) name ??= words[at]!;
  }
  if (name === undefined) return mainName;
  return isWhole ? name : `${mainName}-${name}`;
}

function pathsOf(line: string): string[] {
  const words = line.replace(DIRECTIVES, ' ').split(/\s+/);
  return words
    .map((word) => word.replace(/^"|"$/g, ''))
    .filter((word) => word.startsWith('/') || word.startsWith('%{'));
}
