import { expect, test } from 'vitest';
import { chosenAlternatives, registeredAlternatives } from '../src/registered-alternatives.ts';

const script = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  update-alternatives --quiet --install /usr/bin/view view "/usr/bin/vim.tiny" 15 \\
    --slave /usr/share/man/man1/view.1.gz view.1.gz /usr/share/man/man1/vim.1.gz
  update-alternatives --install "$link" name /usr/bin/other 10
fi
# update-alternatives --remove view /usr/bin/vim.tiny
`;

test('links and their followers are read, variables are not', () => {
  expect(registeredAlternatives(script)).toEqual([
    { link: '/usr/bin/view', target: '/usr/bin/vim.tiny', priority: 15 },
    { link: '/usr/share/man/man1/view.1.gz', target: '/usr/share/man/man1/vim.1.gz', priority: 15 },
  ]);
});

test('the highest priority wins, then the first name', () => {
  const one = (target: string, priority: number) => ({ link: '/usr/bin/x', target, priority });
  expect(chosenAlternatives([one('/a', 1), one('/c', 9), one('/b', 9)])).toEqual([one('/b', 9)]);
});
