import { createMacroContext, standardEnvironment } from '@kiln/rpm-macro';
import { describe, expect, it } from 'vitest';

const environment = standardEnvironment({
  files: [
    {
      file: 'macros',
      text: '%mine 1\n%other 2\n%twice 1\n%twice 2\n%call() %{mine}%{?gone}\n%loud() %define mine 3\n',
    },
  ],
});

/** What expanding a text reads of the environment. */
function readsOf(text: string): string[] | 'all' {
  const context = createMacroContext({ environment });
  context.expand(text);
  const { baseReads } = context.table;
  return baseReads === 'all' ? 'all' : [...baseReads].filter((name) => /^[a-z]\w/.test(name)).sort();
}

describe('what a text reads of the environment', () => {
  it.each<[string, string[] | 'all']>([
    ['%mine %{?missing} %%other', ['mine', 'missing']],
    ['%{!?other:x}', ['other']],
    ['%call', ['call', 'gone', 'mine']],
    ['%{macrobody:other}', ['macrobody', 'other']],
    ['%{define:mine 3}%mine', ['define']],
    ['%{define:fresh 3}%{undefine:fresh}%{?fresh}', ['define', 'fresh', 'undefine']],
    ['%{define:mine 3}%{undefine:mine}', ['define', 'undefine']],
    ['%{define:mine 3}%{undefine:mine}%mine', ['define', 'mine', 'undefine']],
    ['%{undefine:twice}', ['twice', 'undefine']],
    ['%loud', ['define', 'loud']],
    ['%dump', 'all'],
  ])('%s', (text, expected) => expect(readsOf(text)).toEqual(expected));
});

describe('undefining', () => {
  it('brings back what the environment defined before', () => {
    const context = createMacroContext({ environment });
    expect(context.expand('%{define:mine 3}%mine%{undefine:mine}%mine%{undefine:mine}%{?mine}.')).toBe('31.');
    expect(context.expand('%twice%{undefine:twice}%twice')).toBe('21');
  });
});
