import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import { withSigner } from '@kiln/rpm-repository';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, verifyImage, type ImageCheck } from '../src/index.ts';
import { makeKey } from '../../rpm-repository/test/signing-key.ts';
import { EPOCH, smallImage } from './small-image.ts';
import { baseSpec, richSpec } from './test-packages.ts';
import {
  buildRpms,
  hasRpmbuild,
  makePorts,
  makeToolRoot,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './tool-root.ts';

const SIGNATURE = 'the list of checksums is signed';
const CHECKSUMS = 'every file is as it is listed';
const SBOM = 'the bill of materials names what is installed';
const SECURE_BOOT = 'what the firmware starts is signed';
const host = createHost({});

let made: string;
let key: string;
let otherKey: string;

/** The image's files, changed by `change`. */
function copyOf(change: (directory: string) => void = () => undefined): string {
  const directory = temporaryDirectory('downloaded');
  cpSync(made, directory, { recursive: true });
  change(directory);
  return directory;
}

/** `outcome: name: first problem` of the checks that did not pass. */
async function problems(directory: string, publicKeyFile?: string): Promise<string[]> {
  const checks = await verifyImage(host, { directory, ...(publicKeyFile === undefined ? {} : { publicKeyFile }) });
  expect(checks.map(({ name }: ImageCheck) => name)).toEqual([SIGNATURE, CHECKSUMS, SBOM, SECURE_BOOT]);
  expect(checks[3]!.outcome).toBe('skipped');
  return checks
    .filter(({ outcome, name }) => outcome !== 'passed' && name !== SECURE_BOOT)
    .map(({ outcome, name, problems: [first] }) => `${outcome}: ${name}: ${first}`);
}

function updateSum(directory: string, name: string): void {
  const sums = readFileSync(join(directory, 'SHA256SUMS'), 'utf8');
  const digest = execFileSync('sha256sum', [join(directory, name)], { encoding: 'utf8' }).slice(0, 64);
  writeFileSync(
    join(directory, 'SHA256SUMS'),
    sums.replace(new RegExp(`^[0-9a-f]{64}  ${name}$`, 'm'), `${digest}  ${name}`),
  );
}

describe.skipIf(!hasRpmbuild() || spawnSync('gpg', ['--version']).status !== 0)('verifyImage', () => {
  beforeAll(async () => {
    const ports = makePorts(host, makeToolRoot());
    const rpms = [...(await buildRpms(baseSpec(), EPOCH)), ...(await buildRpms(richSpec, EPOCH))];
    made = join(temporaryDirectory('image'), 'out');
    const artifacts = [
      { type: 'tar.gz', fileName: 'other-name.tar.gz' },
      { type: 'oci', fileName: 'small.oci.tar' },
    ] as const;
    await buildImage(host, ports, { ...smallImage(rpms, { artifacts }), outputDirectory: made });
    const top = temporaryDirectory('keys');
    const [signer, other] = [makeKey(top, 'publisher'), makeKey(top, 'other')];
    [key, otherKey] = [signer.publicKeyFile, other.publicKeyFile];
    const signing = { ...host, environment: { ...host.environment, KILN_SIGNING_KEY: signer.secret } };
    const now = Math.floor(Date.now() / 1000);
    await withSigner(signing, signer, (one) => one.signFile(join(made, 'SHA256SUMS'), now));
  }, 60_000);
  afterAll(removeTemporaryDirectories);

  it('accepts what was published', async () => {
    expect(await problems(copyOf(), key)).toEqual([]);
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: made });
  });

  it('finds the database in a container alone', async () => {
    const directory = copyOf((one) => rmSync(join(one, 'other-name.tar.gz')));
    const sums = readFileSync(join(directory, 'SHA256SUMS'), 'utf8');
    writeFileSync(join(directory, 'SHA256SUMS'), sums.replace(/^.*other-name.*\n/m, ''));
    expect(await problems(directory)).toEqual([`skipped: ${SIGNATURE}: no key was given to check the signature with`]);
  });

  it('refuses the key of somebody else, and what is no key', async () => {
    expect((await problems(copyOf(), otherKey))[0]).toMatch(
      new RegExp(`^failed: ${SIGNATURE}: gpg does not accept the signature: .*No public key`, 's'),
    );
    expect((await problems(copyOf(), join(made, 'SHA256SUMS')))[0]).toMatch(/is no OpenPGP key/);
  });

  it('refuses a list that was changed, or whose signature is gone', async () => {
    const changed = copyOf((one) => appendFileSync(join(one, 'small.oci.tar'), 'x'));
    updateSum(changed, 'small.oci.tar');
    expect((await problems(changed, key))[0]).toMatch(
      /^failed: the list of checksums is signed: gpg does not accept the signature: .*BAD signature/s,
    );
    expect(
      await problems(
        copyOf((one) => rmSync(join(one, 'SHA256SUMS.asc'))),
        key,
      ),
    ).toEqual([`failed: ${SIGNATURE}: there is no SHA256SUMS.asc`]);
  });

  it('tells files that are missing or changed', async () => {
    const directory = copyOf((one) => {
      rmSync(join(one, 'small.oci.tar'));
      appendFileSync(join(one, 'small.spdx.json'), ' ');
    });
    const checks = await verifyImage(host, { directory, publicKeyFile: key });
    expect(checks[1]!.problems).toEqual([
      'small.oci.tar is missing',
      expect.stringMatching(/^small\.spdx\.json has SHA-256 [0-9a-f]{64}, listed is [0-9a-f]{64}$/),
    ]);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'leaves a package out',
      (text) => text.replace('"rpm-header-sha256"', '"other"'),
      /^base-1-1\.x86_64 is installed but not named$/,
    ],
    [
      'names one too many',
      (text) => text.replace('"versionInfo": "1-1"', '"versionInfo": "1-2"'),
      /^base-1-2\.x86_64 is named but not installed$/,
    ],
    [
      'has another digest',
      (text) => text.replace(/("referenceLocator": ")[0-9a-f]{64}/, `$1${'0'.repeat(64)}`),
      /^base-1-1\.x86_64 was installed with the header [0-9a-f]{64}, named is 0{64}$/,
    ],
    ['is none', () => '{}', /^small\.spdx\.json is no SPDX document of an image$/],
  ])('refuses a bill of materials that %s', async (_, edit, expected) => {
    const directory = copyOf((one) => {
      const file = join(one, 'small.spdx.json');
      writeFileSync(file, edit(readFileSync(file, 'utf8')));
      updateSum(one, 'small.spdx.json');
    });
    const checks = await verifyImage(host, { directory });
    expect(checks[2]).toMatchObject({ outcome: 'failed' });
    expect(checks[2]!.problems[0]).toMatch(expected);
  });

  it('needs a list of checksums', async () => {
    await expect(verifyImage(host, { directory: temporaryDirectory('empty') })).rejects.toMatchObject({
      code: 'VERIFY_INPUT',
    });
    const directory = copyOf((one) => writeFileSync(join(one, 'SHA256SUMS'), 'abc  ../x\n'));
    await expect(verifyImage(host, { directory })).rejects.toThrow("this is no line of checksums: 'abc  ../x'");
  });
});
