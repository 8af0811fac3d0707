import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { canonicalJson, digestOf, sha256 } from '@kiln/build-identity';
import {
  buildRequest,
  DEFAULT_LIMITS,
  PACKAGE_RECIPE_VERSION,
  packageActionKey,
  STRICT_POLICY,
  type BuildLimits,
  type BuildRequestInput,
} from '@kiln/package-build';

const input: BuildRequestInput = {
  architecture: 'x86_64',
  spec: { name: 'sed.spec', sha256: sha256('spec') },
  sources: [
    { name: 'sed-4.9.tar.xz', sha256: sha256('tarball') },
    { name: 'fix.patch', sha256: sha256('patch') },
  ],
  macroFiles: [{ name: 'debian/macros', sha256: sha256('macros') }],
  defines: { dist: '.kl1' },
  toolchain: sha256('toolchain'),
  root: [{ name: 'ncurses-libs', content: sha256('content') }],
  limits: DEFAULT_LIMITS,
  checks: { severities: {}, compilerFlags: ['-fstack-protector-strong'], waivers: [] },
};

/**
 * The golden request. When it changes, builds are made in another way: raise PACKAGE_RECIPE_VERSION and record the new one with
 * `KILN_RECORD=1 npx vitest run libs/package-build`.
 */
test('a request changes only together with the recipe version', async () => {
  const file = join(import.meta.dirname, 'fixtures', 'golden-request.json');
  const now = { recipeVersion: PACKAGE_RECIPE_VERSION, request: buildRequest(input) };
  if (process.env['KILN_RECORD'] === '1') {
    const { writeFileAtomic } = await import('@kiln/host');
    await writeFileAtomic(file, `${JSON.stringify(now, undefined, 2)}\n`);
  }
  const golden = JSON.parse(readFileSync(file, 'utf8')) as typeof now;
  if (golden.recipeVersion === PACKAGE_RECIPE_VERSION) expect(now.request).toEqual(golden.request);
  else expect.fail('the recipe version was raised: record the golden request anew');
});

test('every field of the request has a part in the key', () => {
  const variants: Partial<BuildRequestInput>[] = [
    { architecture: 'aarch64' },
    { spec: { name: 'sed.spec', sha256: sha256('other') } },
    { spec: { name: 'other.spec', sha256: sha256('spec') } },
    { sources: input.sources.slice(1) },
    { macroFiles: [] },
    { defines: { dist: '.kl2' } },
    { toolchain: sha256('other') },
    { root: [] },
    { root: [{ name: 'ncurses-libs', content: sha256('content'), evr: '6.5-1' }] },
    { limits: { ...DEFAULT_LIMITS, openFiles: 1 } },
    { network: true },
    { checks: STRICT_POLICY },
  ];
  const covered = new Set(variants.flatMap((one) => Object.keys(one)));
  expect([...covered].sort()).toEqual([...Object.keys(input), 'network'].sort());
  const keys = [input, ...variants.map((one) => ({ ...input, ...one }))].map(packageActionKey);
  expect(new Set(keys).size).toBe(keys.length);
});

test('limits that a build can see are in the key, those that only end it are not', () => {
  const keyWith = (limits: Partial<BuildLimits>) =>
    packageActionKey({ ...input, limits: { ...DEFAULT_LIMITS, ...limits } });
  const changed = (Object.keys(DEFAULT_LIMITS) as (keyof BuildLimits)[]).filter(
    (name) => keyWith({ [name]: 1 }) !== packageActionKey(input),
  );
  expect(changed.sort()).toEqual(['fileSizeBytes', 'openFiles', 'processes', 'temporaryBytes']);
});

test('the order in which files and RPMs were found has none', () => {
  expect(packageActionKey({ ...input, sources: [...input.sources].reverse() })).toBe(packageActionKey(input));
});

afterEach(() => void vi.unstubAllEnvs());

test('nothing of the machine is in the request', () => {
  vi.stubEnv('USER', 'some-user');
  vi.stubEnv('HOME', '/home/some-user');
  const text = canonicalJson(buildRequest(input));
  for (const word of [process.cwd(), process.env['HOME'], process.env['USER'], String(new Date().getFullYear())]) {
    if (word !== undefined && word.length > 3) expect(text).not.toContain(word);
  }
  expect(digestOf(buildRequest(input))).toBe(packageActionKey(input));
});
