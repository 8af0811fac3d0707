import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeDifference, writeWithout } from '../src/layer-difference.ts';
import { TAR_COMMAND } from '../src/root-tar.ts';

const place = mkdtempSync(join(tmpdir(), 'kiln-layers-'));
afterAll(() => rmSync(place, { recursive: true }));

const LONG = `${'d'.repeat(60)}/${'ä'.repeat(60)}`;
const BELOW = `
mkdir -p usr/bin etc/old/deep 'a b' ${dirname(LONG)}
echo one > usr/bin/one; ln usr/bin/one usr/bin/two; ln usr/bin/one usr/bin/three
echo same > etc/same; echo file > etc/file; echo deep > etc/old/deep/file; ln -s same etc/link
echo long > ${LONG}; echo x > 'a b/c d'; mkdir etc/directory; echo x > etc/directory/x
`;

/** Bash, in a directory whose files all have one time afterwards. */
function shell(directory: string, script: string): void {
  mkdirSync(directory, { recursive: true });
  const settle = 'find . -exec touch --no-dereference --date=@1700000000 {} +';
  execFileSync('bash', ['-euc', `${script}\n${settle}`], { cwd: directory });
}

/** Packs a directory as roots are packed. */
function pack(directory: string): string {
  execFileSync('bash', ['-euc', `${TAR_COMMAND} --file='${directory}.tar' .`], { cwd: directory });
  return `${directory}.tar`;
}

function list(archive: string): string[] {
  const words = ['--list', '--quoting-style=literal', '--file', archive];
  return execFileSync('tar', words, { encoding: 'utf8' }).split('\n').slice(0, -1);
}

function isDirectory(path: string): boolean {
  return existsSync(path) && lstatSync(path).isDirectory();
}

/** As the specification says: what is whited out goes, then what is in the layer comes, also in place of a directory. */
function apply(layer: string, root: string): void {
  const isWhiteout = (name: string) => /(^|\/)\.wh\./.test(name);
  for (const name of list(layer).filter(isWhiteout)) {
    const gone = join(root, name.replace('.wh.', ''));
    expect(existsSync(gone)).toBe(true);
    rmSync(gone, { recursive: true });
  }
  const replaced = list(layer).filter((name) => !name.endsWith('/') && isDirectory(join(root, name)));
  for (const name of replaced) rmSync(join(root, name), { recursive: true });
  const words = ['--extract', '--exclude=.wh.*', '--preserve-permissions', '--file', layer, '--directory', root];
  execFileSync('tar', words);
}

/** The layer between what is below and the same changed by `script`: its members; it must lead to the changed root. */
async function layerOf(name: string, script: string): Promise<string[] | undefined> {
  const [below, root, applied] = ['below', 'root', 'applied'].map((what) => join(place, name, what)) as [
    string,
    string,
    string,
  ];
  shell(below, BELOW);
  shell(root, `${BELOW}\n${script}`);
  const layer = join(place, name, 'layer.tar');
  const from = { below: pack(below), root: pack(root), mtime: 7 };
  if (!(await writeDifference(layer, from))) {
    expect(existsSync(layer)).toBe(false);
    return undefined;
  }
  mkdirSync(applied);
  execFileSync('tar', ['--extract', '--preserve-permissions', '--file', from.below, '--directory', applied]);
  apply(layer, applied);
  shell(applied, '');
  const found = `${applied}.tar`;
  pack(applied);
  execFileSync('cmp', [found, from.root]);
  return list(layer);
}

describe('the difference of two roots', () => {
  it('is nothing when there is none', async () => {
    expect(await layerOf('none', '')).toBeUndefined();
  });

  it('is what was added and changed, with its directories', async () => {
    expect(await layerOf('changed', 'echo new > usr/new; echo other > etc/file; chmod 0600 "a b/c d"')).toEqual([
      './',
      './a b/',
      './a b/c d',
      './etc/',
      './etc/file',
      './usr/',
      './usr/new',
    ]);
  });

  it('has whiteouts of what is gone, once for a directory, in front of the rest', async () => {
    expect(await layerOf('gone', `rm -r etc/old etc/file ${LONG} etc/link; echo > etc/a`)).toEqual([
      './',
      `./${dirname(LONG)}/`,
      `./${dirname(LONG)}/.wh.${LONG.slice(dirname(LONG).length + 1)}`,
      './etc/',
      './etc/.wh.file',
      './etc/.wh.link',
      './etc/.wh.old',
      './etc/a',
    ]);
  });

  it.each([
    ['a directory that became a link', 'rm -r etc/old; ln -s same etc/old', ['./', './etc/', './etc/old']],
    [
      'a link that became a directory',
      'rm etc/link; mkdir etc/link; echo > etc/link/x',
      ['./', './etc/', './etc/link/', './etc/link/x'],
    ],
    ['a directory with other permissions', 'chmod 0700 etc/directory', ['./', './etc/', './etc/directory/']],
    ['a size that stays', 'echo fila > etc/file', ['./', './etc/', './etc/file']],
  ])('knows %s', async (name, script, members) => {
    expect(await layerOf(name, script)).toEqual(members);
  });

  it.each([
    ['whose content changed', 'echo 1 > usr/bin/one'],
    ['of which one is another file', 'rm usr/bin/one; echo one > usr/bin/one'],
    ['whose first name is gone', 'rm usr/bin/one'],
  ])('has all names of hard links %s', async (name, script) => {
    const members = await layerOf(name, script);
    expect(members!.filter((one) => /two|three/.test(one))).toEqual(['./usr/bin/three', './usr/bin/two']);
  });

  it('does not hide what was left out below', async () => {
    const [below, root] = ['below', 'root'].map((what) => join(place, 'left-out', what)) as [string, string];
    shell(below, BELOW);
    shell(root, `${BELOW}\nrm etc/file`);
    const [packed, layer] = [join(place, 'left-out/packed.tar'), join(place, 'left-out/layer.tar')];
    const missing = new Set(['./etc/file']);
    await writeWithout(packed, { archive: pack(below), missing });
    execFileSync('cmp', [packed, pack(root)]);
    expect(await writeDifference(layer, { below: `${below}.tar`, root: `${root}.tar`, missing, mtime: 7 })).toBe(false);
  });

  it('refuses a file whose name takes others away', async () => {
    await expect(layerOf('refused', 'echo > etc/.wh.same')).rejects.toMatchObject({
      code: 'IMAGE_ARTIFACT_FAILED',
      message: "'./etc/.wh.same' can't be in a container: there such a name says that a file is gone",
    });
  });
});
