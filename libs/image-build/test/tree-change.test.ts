import { BuildError } from '@kiln/diagnostics';
import { describe, expect, it } from 'vitest';
import type { ScannedFile } from '../src/root-scan.ts';
import { planChanges, type TreeChange } from '../src/tree-change.ts';

const entry = (path: string, type: string, target?: string): ScannedFile => ({
  path,
  type,
  size: 0,
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...(target === undefined ? {} : { target }),
});
const root = [
  entry('/etc', 'd'),
  entry('/etc/file', 'f'),
  entry('/usr', 'd'),
  entry('/usr/lib', 'd'),
  entry('/lib', 'l', 'usr/lib'),
  entry('/out', 'l', '../../../../etc'),
  entry('/absolute', 'l', '/usr'),
  entry('/loop', 'l', 'loop'),
  entry('/nowhere', 'l', 'missing/place'),
];

function file(path: string): TreeChange {
  return { type: 'file', path, content: '', mode: 0o644, uid: 1, gid: 2 };
}

/** `type path` of what will be done. */
function planned(...changes: TreeChange[]): string[] {
  return planChanges(changes, root, () => undefined).map(({ type, path }) => `${type} ${path}`);
}

function conflict(...changes: TreeChange[]): string {
  try {
    planChanges(changes, root, () => undefined);
  } catch (error) {
    if (error instanceof BuildError && error.code === 'IMAGE_PATH_CONFLICT') return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('planChanges', () => {
  it('makes missing parents, once', () => {
    expect(planned(file('/srv/a/b'), file('/srv/a/c'))).toEqual([
      'directory /srv',
      'directory /srv/a',
      'file /srv/a/b',
      'file /srv/a/c',
    ]);
  });

  it.each([
    ['/lib/x', '/usr/lib/x'],
    ['/out/x', '/etc/x'],
    ['/absolute/lib/x', '/usr/lib/x'],
    ['/out/../absolute/x', '/usr/x'],
  ])('follows links inside of the root alone: %s is %s', (path, real) => {
    expect(planned(file(path))).toEqual([`file ${real}`]);
  });

  it('makes the place that a link of a package points to', () => {
    expect(planned(file('/nowhere/x'))).toEqual([
      'directory /missing',
      'directory /missing/place',
      'file /missing/place/x',
    ]);
  });

  it('replaces files and links themselves', () => {
    expect(planned(file('/etc/file'), file('/nowhere'), { type: 'link', path: '/etc/file', target: 'x' })).toEqual([
      'file /etc/file',
      'file /nowhere',
      'link /etc/file',
    ]);
  });

  it('leaves directories that are there, also behind links', () => {
    const directory = (path: string): TreeChange => ({ type: 'directory', path, mode: 0o700, uid: 0, gid: 0 });
    expect(planned(directory('/etc'), directory('/lib'), directory('/etc/new'))).toEqual(['directory /etc/new']);
    expect(conflict(directory('/etc/file'))).toBe("nothing can be put at '/etc/file': it is there and not a directory");
  });

  it('removes what is there, and knows that it is gone', () => {
    expect(planned({ type: 'remove', path: '/etc' }, { type: 'remove', path: '/not/there' }, file('/etc/x'))).toEqual([
      'remove /etc',
      'directory /etc',
      'file /etc/x',
    ]);
  });

  it.each([
    ['/etc/file/x', "'/etc/file' is not a directory"],
    ['/loop/x', "'/loop' is not a directory"],

    ['/usr/lib', 'it is a directory'],
  ])('refuses %s', (path, why) => {
    expect(conflict(file(path))).toBe(`nothing can be put at '${path}': ${why}`);
  });
});
