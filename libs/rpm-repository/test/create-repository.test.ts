import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { createFakeHost, createHost } from '@kiln/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRepository, type RunTool } from '../src/index.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const binary = readdirSync(fixtures)
  .filter((name) => name.endsWith('.rpm') && !name.endsWith('.src.rpm'))
  .map((name) => join(fixtures, name));
const minimal = join(fixtures, 'minimal-1-1.noarch.rpm');

/** Runs the machine's own programs, with the mount's target replaced by its source. */
const runTool: RunTool = ({ argv, mounts, environment }) => {
  const [program, ...words] = argv.map((word) => mounts.find(({ target }) => target === word)?.source ?? word);
  return createHost().run({
    argv: [program!, ...words],
    environment: { PATH: process.env['PATH'] ?? '', ...environment },
  });
};
const hasTools = ['createrepo_c', 'rpmbuild'].every((tool) => spawnSync(tool, ['--version']).status === 0);

function snapshot(directory: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(directory.length), sha256(readFileSync(path))]),
  );
}

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'repository-'));
});
afterEach(() => rmSync(top, { recursive: true }));

/** The same NEVRA with other content: rpm's own file, but the payload digest can't be forged, so it is built. */
function rebuiltMinimal(buildHost = 'other'): string {
  const defines = [`_topdir ${top}/${buildHost}`, `_buildhost ${buildHost}`].flatMap((define) => ['--define', define]);
  const { status, stderr } = spawnSync('rpmbuild', ['-bb', '--quiet', ...defines, join(fixtures, 'minimal.spec')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return join(top, buildHost, 'RPMS/noarch/minimal-1-1.noarch.rpm');
}

describe.skipIf(!hasTools)('createRepository', () => {
  it('gives the same bytes for the same packages in any order, from any place and at any time', async () => {
    const first = await createRepository(createFakeHost(), runTool, {
      directory: join(top, 'a'),
      rpms: binary,
      reusedNevra: 'refuse',
    });
    mkdirSync(join(top, 'elsewhere'));
    const moved = binary.toReversed().map((path, index) => {
      const copy = join(top, 'elsewhere', String(index));
      cpSync(path, copy);
      utimesSync(copy, 1, 1);
      return copy;
    });
    const second = await createRepository(createFakeHost(), runTool, {
      directory: join(top, 'b'),
      rpms: moved,
      reusedNevra: 'refuse',
    });
    expect(snapshot(join(top, 'b'))).toEqual(snapshot(join(top, 'a')));
    expect(second.repomdDigest).toBe(first.repomdDigest);
    expect(first.packages.map(({ nevra }) => nevra)).toEqual([
      'everything-3:1.2~rc1-4.x86_64',
      'minimal-1-1.noarch',
      'sub-package-3:1.2~rc1-4.noarch',
    ]);
    expect(readdirSync(join(top, 'a')).sort()).toEqual(['Packages', 'ledger.json', 'repodata']);
    expect(readdirSync(top).sort()).toEqual(['a', 'a.lock', 'b', 'b.lock', 'elsewhere']);
  });

  it('takes unchanged packages from earlier metadata, and gives the bytes of one made from nothing', async () => {
    const request = { reusedNevra: 'replace' } as const;
    const [other, third] = [rebuiltMinimal('other'), rebuiltMinimal('third')];
    expect(statSync(other).size).toBe(statSync(third).size);
    const sets = [[], [minimal], binary, [...binary.filter((path) => path !== minimal), other], [third], [other]];
    const reused: boolean[][] = [];
    for (const [from, before] of sets.entries()) {
      const first = await createRepository(createFakeHost(), runTool, {
        ...request,
        directory: join(top, `before-${from}`),
        rpms: before,
      });
      const packages = Object.fromEntries(
        first.packages.map(({ file, fileDigest, size }) => [file, { sha256: fileDigest, size }]),
      );
      const uses: boolean[] = [];
      for (const [to, after] of sets.entries()) {
        const spying: RunTool = (tool) => {
          uses.push(tool.argv.includes('--update'));
          return runTool(tool);
        };
        const directory = join(top, `${from}-${to}`);
        const earlier = { directory: first.directory, packages };
        await createRepository(createFakeHost(), spying, { ...request, directory, rpms: after, earlier });
        const anew = await createRepository(createFakeHost(), runTool, {
          ...request,
          directory: join(top, `anew-${from}-${to}`),
          rpms: after,
        });
        expect(snapshot(directory), `${from} → ${to}`).toEqual(snapshot(anew.directory));
      }
      reused.push(uses);
    }
    // Of one size and one time, with other content: nothing may be taken over.
    expect([reused[4]![5], reused[5]![4], reused[3]![4]]).toEqual([false, false, false]);
    expect(reused[2]!.slice(0, 3)).toEqual([true, true, true]);
  });

  it('refuses two packages of one NEVRA', async () => {
    const request = { directory: join(top, 'a'), rpms: [minimal, minimal], reusedNevra: 'replace' } as const;
    await expect(createRepository(createFakeHost(), runTool, request)).rejects.toMatchObject({
      code: 'NEVRA_DUPLICATE',
    });
  });

  it('refuses other content under a known NEVRA and leaves everything as it was', async () => {
    const request = { directory: join(top, 'a'), reusedNevra: 'refuse' } as const;
    await createRepository(createFakeHost(), runTool, { ...request, rpms: [minimal] });
    await createRepository(createFakeHost(), runTool, { ...request, rpms: [] });
    const before = snapshot(join(top, 'a'));
    await expect(
      createRepository(createFakeHost(), runTool, { ...request, rpms: [rebuiltMinimal()] }),
    ).rejects.toMatchObject({
      code: 'NEVRA_REUSED',
      hint: expect.stringContaining('kiln bump <package>') as string,
    });
    expect(snapshot(join(top, 'a'))).toEqual(before);
  });

  it("says so and goes on in a developer's tree", async () => {
    const request = { directory: join(top, 'a'), reusedNevra: 'replace' } as const;
    await createRepository(createFakeHost(), runTool, { ...request, rpms: [minimal] });
    const host = createFakeHost();
    const rebuilt = rebuiltMinimal();
    await createRepository(host, runTool, { ...request, rpms: [rebuilt] });
    expect(host.events).toMatchObject([{ type: 'notice', severity: 'warning', code: 'NEVRA_REUSED' }]);
    const again = createFakeHost();
    await createRepository(again, runTool, { ...request, rpms: [rebuilt] });
    expect(again.events).toEqual([]);
  });

  it('keeps a ledger elsewhere for a repository that is made anew each time', async () => {
    const request = { ledgerFile: join(top, 'kept', 'ledger.json'), reusedNevra: 'refuse' } as const;
    await createRepository(createFakeHost(), runTool, { ...request, directory: join(top, 'a'), rpms: [minimal] });
    const again = createRepository(createFakeHost(), runTool, {
      ...request,
      directory: join(top, 'b'),
      rpms: [rebuiltMinimal()],
    });
    await expect(again).rejects.toMatchObject({ code: 'NEVRA_REUSED' });
  });

  it('keeps the old content when createrepo_c fails, and finds the ledger after an interrupted exchange', async () => {
    const directory = join(top, 'a');
    await createRepository(createFakeHost(), runTool, { directory, rpms: [minimal], reusedNevra: 'refuse' });
    const before = snapshot(directory);
    const failing: RunTool = () =>
      Promise.resolve({ status: 1, stdout: '', stderr: 'no', seconds: 0, timedOut: false });
    await expect(
      createRepository(createFakeHost(), failing, { directory, rpms: binary, reusedNevra: 'refuse' }),
    ).rejects.toMatchObject({ code: 'REPOSITORY_FAILED' });
    expect(snapshot(directory)).toEqual(before);

    renameSync(directory, `${directory}.previous`);
    await createRepository(createFakeHost(), runTool, { directory, rpms: [], reusedNevra: 'refuse' });
    expect(readFileSync(join(directory, 'ledger.json'), 'utf8')).toContain('minimal-1-1.noarch');
    expect(existsSync(`${directory}.previous`)).toBe(false);
  });
});
