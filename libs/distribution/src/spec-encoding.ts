/** Specs are UTF-8: rpm refuses tags that are not (checkForEncoding, build/parseSpec.c), and their bytes must survive a build. */
import { isUtf8 } from 'node:buffer';
import type { Diagnostic } from '@kiln/diagnostics';

/** What is wrong with the bytes of a spec; undefined for valid UTF-8. */
export function encodingProblem(file: string, bytes: Uint8Array): Diagnostic | undefined {
  if (isUtf8(bytes)) return undefined;
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end;
  }
  return {
    severity: 'error',
    code: 'SPEC_NOT_UTF8',
    message: 'the line has bytes that are not UTF-8',
    location: { file, line },
    hint: 'convert the file, for example with `iconv -f latin1 -t utf-8`',
  };
}
