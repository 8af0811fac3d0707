import { describe, expect, it } from 'vitest';
import { BuildError, SourceText } from '@kiln/diagnostics';
import { parseSignatures, readSignatures } from '@kiln/sources';

const digest = 'a'.repeat(64);
const parse = (text: string) => parseSignatures(new SourceText('SPECS/x/x.signatures.json', text));

describe('signatures', () => {
  it('are digests by file name', () => {
    expect(parse(`{"Signatures": {"x-1.tar.xz": "${digest}", "x.conf": "${digest}"}}`)).toEqual(
      new Map([
        ['x-1.tar.xz', digest],
        ['x.conf', digest],
      ]),
    );
  });

  it('are empty without a file', () => {
    expect(readSignatures('/does/not/exist.json', 'x.signatures.json').size).toBe(0);
  });

  it.each([
    ['no JSON', '{\n "Signatures": {,}\n}', 2],
    ['another document', '[]', 1],
    ['no signatures', '{}', 1],
    ['an unknown member', '{"Signatures": {},\n"Other": 1}', 2],
    ['a short digest', `{"Signatures": {\n\n"x.tar": "abc"}}`, 3],
    ['a path', `{"Signatures": {\n"../x.tar": "${digest}"}}`, 2],
  ])('with %s are malformed, and the place is told', (_what, text, line) => {
    let thrown: unknown;
    try {
      parse(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BuildError);
    expect(thrown).toMatchObject({
      code: 'SIGNATURES_MALFORMED',
      location: { file: 'SPECS/x/x.signatures.json', line },
    });
  });
});
