import { expect, test } from 'vitest';
import {
  BuildError,
  codeFrame,
  formatDiagnostic,
  nearestAmong,
  nearestWord,
  printable,
  SourceText,
} from '@kiln/diagnostics';

const source = new SourceText('a.spec', 'Name: a\n\tVersio: 1\r\nlast');

test('offsets become lines and columns', () => {
  expect(source.locationAt(0)).toEqual({ file: 'a.spec', line: 1, column: 1 });
  expect(source.locationAt(9)).toEqual({ file: 'a.spec', line: 2, column: 2 });
  expect(source.locationAt(1000)).toEqual({ file: 'a.spec', line: 3, column: 5 });
  expect(source.lineText(2)).toBe('\tVersio: 1');
  expect(source.lineText(9)).toBe('');
});

test('the caret stands below the place, also after tabs', () => {
  expect(codeFrame(source, { file: 'a.spec', line: 2, column: 2, endColumn: 8 })).toBe(
    ' 2 | \tVersio: 1\n   | \t^^^^^^',
  );
});

test('a diagnostic names place, severity, code, message and hint', () => {
  const text = formatDiagnostic(
    {
      severity: 'error',
      code: 'TAG_UNKNOWN',
      message: "unknown tag 'Versio'",
      location: { file: 'a.spec', line: 2, column: 2 },
      hint: 'write Version',
    },
    source,
  );
  expect(text).toBe(
    "a.spec:2:2: error TAG_UNKNOWN: unknown tag 'Versio'\n 2 | \tVersio: 1\n   | \t^\n  hint: write Version",
  );
});

test('an error carries everything a person needs', () => {
  const error = new BuildError('X', 'it failed', {
    location: { file: 'f', line: 1 },
    hint: 'do this',
    log: 'l.log',
    command: 'make',
  });
  expect(error.format()).toBe('f:1: error X: it failed\n  hint: do this\n  log: l.log\n  repeat: make');
});

test('near words are suggested, far ones not', () => {
  expect(nearestWord('readlin-devel', ['readline-devel', 'bash'])).toBe('readline-devel');
  expect(nearestWord('xyz', ['readline-devel', 'bash'])).toBeUndefined();
  const nearest = nearestAmong(['zlib-devel', 'readline-devel', 'Bash', 'pkgconfig(zlib)']);
  expect(['readlin-devel', 'bsah', 'pkgconfig(libz)', 'é'].map(nearest)).toEqual([
    'readline-devel',
    undefined,
    'pkgconfig(zlib)',
    undefined,
  ]);
});

test('what is quoted does nothing to the terminal', () => {
  expect(printable('\tä – 漢\n')).toBe('\tä – 漢\n');
  expect(printable('a\x1b[2J\x07\r\x7f\x9bb\0')).toBe('a\\x1b[2J\\x07\\x0d\\x7f\\x9bb\\x00');
  const quoted = { severity: 'error', code: 'X', message: 'm\x1b[31m', hint: 'h\r' } as const;
  expect(formatDiagnostic(quoted)).toBe('error X: m\\x1b[31m\n  hint: h\\x0d');
  expect(new BuildError('X', 'm\x9b', { log: 'l\x1b', diagnostics: [quoted] }).format()).not.toMatch(/[^\P{Cc}\n]/u);
});
