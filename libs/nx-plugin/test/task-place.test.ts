import { expect, test } from 'vitest';
import { placeOf } from '../src/task-place.ts';

const dependencies = {
  'image/base:image': ['bash/bash:rpm', 'sed/sed:rpm'],
  'bash/bash:rpm': ['ncurses/ncurses:rpm', 'distribution:toolchain'],
  'sed/sed:rpm': ['distribution:toolchain'],
  'ncurses/ncurses:rpm': ['distribution:toolchain'],
  'distribution:toolchain': [],
};

test.each([
  ['distribution:toolchain', 1],
  ['ncurses/ncurses:rpm', 2],
  ['bash/bash:rpm', 3],
  ['sed/sed:rpm', 4],
  ['image/base:image', 5],
])('%s is number %d', (task, position) => {
  expect(placeOf(task, { dependencies })).toEqual({ position, total: 5 });
});
