import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import type { BuildError } from '@kiln/diagnostics';
import { createHost, type KilnEvent } from '@kiln/host';
import type { ImageDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bootTest,
  buildImage,
  readOciArchive,
  type ImagePorts,
  type ImageRequest,
  type ImageRpm,
} from '../src/index.ts';
import { EPOCH, failure, smallImage } from './small-image.ts';
import { badSpec, baseSpec, copySpec, richSpec, specWith } from './test-packages.ts';
import {
  buildRpms,
  hasRpmbuild,
  machineProgram,
  makePorts,
  makeToolRoot,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './tool-root.ts';

const HOST_PATH = '/a/path/of/this/machine';
const events: KilnEvent[] = [];
const host = createHost({ emit: (event) => events.push(event) });
const definition: Partial<ImageDefinition> = {
  artifacts: [
    { type: 'oci', fileName: 'small.oci.tar' },
    { type: 'tar.gz', fileName: 'small.tar.gz' },
  ],
  hostname: 'small',
  container: { cmd: ['/usr/bin/bash'], env: { PATH: '/usr/bin' }, labels: {}, exposedPorts: [], volumes: [] },
};

let ports: ImagePorts;
let toolRoot: string;
let base: ImageRpm[];
let rich: ImageRpm[];

const request = (rpms: readonly ImageRpm[], more: Partial<ImageDefinition> = {}): ImageRequest =>
  smallImage(rpms, { ...definition, ...more });

/** `mode owner size name`, as GNU tar lists them. */
function listing(archive: string): string[] {
  const text = execFileSync(
    'tar',
    ['--list', '--verbose', '--numeric-owner', '--xattrs', '--full-time', '--gzip', '--file', archive],
    {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
    },
  );
  return text
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '));
}

describe.skipIf(!hasRpmbuild())('images', () => {
  beforeAll(async () => {
    toolRoot = makeToolRoot();
    ports = makePorts(host, toolRoot);
    base = await buildRpms(baseSpec(), EPOCH);
    rich = await buildRpms(richSpec, EPOCH);
  });
  afterAll(removeTemporaryDirectories);

  it('keeps owners, modes, capabilities and links, and says the same twice', async () => {
    const first = request([...base, ...rich]);
    const built = await buildImage(host, ports, first);
    expect(built.outputs.map(({ fileName }) => fileName)).toEqual([
      'small.oci.tar',
      'small.tar.gz',
      'small.spdx.json',
      'SHA256SUMS',
    ]);
    expect(built.packages).toEqual(['base-1-1.x86_64', 'rich-1-1.x86_64']);
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: first.outputDirectory });

    const files = listing(join(first.outputDirectory, 'small.tar.gz'));
    const line = (name: string) => files.find((one) => one.endsWith(` ./${name}`) || one.includes(` ./${name} `));
    expect(line('usr/bin/capable')).toMatch(/^-rwsr-xr-x\*? 0\/0 /);
    expect(line('usr/bin/twin')).toMatch(/link to \.\/usr\/bin\/capable$/);
    expect(line('usr/bin/link')).toMatch(/-> capable$/);
    expect(line('var/lib/rich/secret')).toMatch(/^-rw------- 77\/78 /);
    expect(line('var/lib/rich/')).toMatch(/^drwxr-s--- 77\/78 /);
    expect(line('var/lib/generated')).toContain('2023-11-14 22:13:20');
    expect(line('etc/hostname')).toContain(' 6 2023-11-14 22:13:20');
    expect(files.filter((one) => !one.includes('2023-11-14 22:13:20') || / \.\/(dev|tmp)\/./.test(one))).toEqual([]);
    expect(files.filter((one) => /-(shm|wal)$|\.rpm\.lock/.test(one))).toEqual([]);

    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = request([...base, ...rich]);
    const again = await buildImage(host, makePorts(host, toolRoot), second);
    expect(again.outputs.map(({ sha256: digest }) => digest)).toEqual(
      built.outputs.map(({ sha256: digest }) => digest),
    );
  });

  it('with the same packages share one installation, whatever else they are', async () => {
    const shared = makePorts(host, toolRoot);
    const makeWith = async (more: Partial<ImageDefinition>, own = shared) => {
      const before = events.length;
      const { outputs } = await buildImage(host, own, request([...base, ...rich], more));
      const installed = events
        .slice(before)
        .filter((event) => event.type === 'progress' && event.message.startsWith('installing'));
      return { installed: installed.length, digests: outputs.map(({ sha256: digest }) => digest) };
    };
    const other = { name: 'other', hostname: 'other' };
    expect((await makeWith({})).installed).toBe(2);
    const second = await makeWith(other);
    expect(second.installed).toBe(0);
    expect(second.digests).toEqual((await makeWith(other, makePorts(host, toolRoot))).digests);
    expect((await makeWith({ disableRpmDocs: true })).installed).toBe(2);
  });

  it('share the layer of their packages, and have a second one when the definition changes something', async () => {
    const rpms = [...base, ...rich];
    const layersOf = async (made: ImageRequest) => {
      await buildImage(host, ports, made);
      const archive = join(made.outputDirectory, 'small.oci.tar');
      const { layers } = await readOciArchive(archive);
      const members = layers.map(({ offset, size }) => {
        const copy = join(made.outputDirectory, 'layer.tar.gz');
        writeFileSync(copy, readFileSync(archive).subarray(offset, offset + size));
        return listing(copy).map((line) => line.replace(/^.* (\.\/)/, '$1'));
      });
      return { names: layers.map(({ name }) => name), members };
    };
    const artifacts = definition.artifacts!;
    const [plain, one, other] = [
      await layersOf(smallImage(rpms, { artifacts })),
      await layersOf(request(rpms)),
      await layersOf(request(rpms, { name: 'other', hostname: 'other' })),
    ];
    expect(plain.names).toEqual([one.names[0]]);
    expect(other.names).toEqual([one.names[0], expect.not.stringContaining(one.names[1]!)]);
    expect(one.members[1]).toEqual(['./', './etc/', './etc/hostname']);
    const without = await layersOf(request(rpms, { removeRpmDb: true }));
    const databases = (lists: string[][]) => lists.flat().filter((name) => name.includes('rpmdb'));
    expect(databases(one.members)).toEqual(['./usr/lib/sysimage/rpm/rpmdb.sqlite']);
    expect(databases(without.members)).toEqual([]);
    expect(without.members[1]).toEqual(one.members[1]);
  });

  it('is an OCI image that passes its boot test', async () => {
    const made = request([...base, ...rich]);
    const { customized } = await buildImage(host, ports, made);
    const archive = join(made.outputDirectory, 'small.oci.tar');
    const oci = await readOciArchive(archive);
    expect(oci).toMatchObject({ architecture: 'amd64', config: { Cmd: ['/usr/bin/bash'], Env: ['PATH=/usr/bin'] } });
    expect(oci.annotations).toMatchObject({
      'org.opencontainers.image.title': 'small',
      'org.opencontainers.image.version': '1.5',
      'org.opencontainers.image.url': 'https://test.example/',
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    });
    const report = await bootTest(host, ports, {
      definition: made.definition,
      archive,
      rpms: made.rpms,
      sourceRpms: new Map(),
      customized,
      startedPackages: ['base', 'rich'],
      hostPaths: [HOST_PATH],
    });
    expect(report.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(report.osRelease['ID']).toBe('test');
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(events).toContainEqual(expect.objectContaining({ type: 'progress', done: 2, total: 2, unit: 'packages' }));
  });

  it('leaves out the rpm database and the documentation, and can still be tested', async () => {
    const made = request([...base, ...rich], { removeRpmDb: true, disableRpmDocs: true });
    const { outputs } = await buildImage(host, ports, made);
    expect(outputs.map(({ fileName }) => fileName)).toEqual([
      'small.oci.tar',
      'small.tar.gz',
      'small.rpmdb.sqlite',
      'small.spdx.json',
      'SHA256SUMS',
    ]);
    const files = listing(join(made.outputDirectory, 'small.tar.gz'));
    expect(files.filter((line) => /rpmdb|README/.test(line))).toEqual([]);
    const report = await bootTest(host, ports, {
      definition: made.definition,
      archive: join(made.outputDirectory, 'small.oci.tar'),
      rpms: made.rpms,
      sourceRpms: new Map(),
      rpmDatabase: join(made.outputDirectory, 'small.rpmdb.sqlite'),
      customized: ['/etc/hostname'],
      startedPackages: [],
      hostPaths: [],
    }).catch((error: BuildError) => error.diagnostics.map(({ message }) => message));
    expect(report).toEqual(['every command starts: there are no commands to start']);
  });

  it('fails the boot test with everything that is wrong', async () => {
    const made = request([...base, ...(await buildRpms(badSpec(HOST_PATH), EPOCH))]);
    await buildImage(host, ports, made);
    const error = await failure(
      bootTest(host, ports, {
        definition: made.definition,
        archive: join(made.outputDirectory, 'small.oci.tar'),
        rpms: made.rpms,
        sourceRpms: new Map(),
        customized: ['/etc/hostname'],
        startedPackages: ['bad'],
        hostPaths: [HOST_PATH],
      }),
    );
    expect(error.code).toBe('BOOT_TEST_FAILED');
    expect(error.diagnostics.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^every command starts: \/usr\/bin\/broken --version ended with status 127: .*cannot execute/,
      ),
      expect.stringMatching(/^rpm -V finds no difference: S\.5\S+\s+\/usr\/lib\/os-release$/),
      'every file has an owner: /etc/stray',
      'no path of the machine is in a file: /etc/trace',
      "no file is one of the toolchain: /usr/bin/stolen of bad-1-1.x86_64 is the toolchain's /usr/bin/cat",
    ]);
  });

  it('excuses what the release of a package holds as it is, and never machine code', async () => {
    const top = temporaryDirectory('copy');
    mkdirSync(join(top, 'SOURCES'));
    const release = join(temporaryDirectory('release'), 'copy');
    mkdirSync(release);
    copyFileSync('/usr/lib/rpm/macros', join(release, 'macros'));
    copyFileSync(machineProgram('cat'), join(release, 'cat'));
    execFileSync('tar', ['-czf', join(top, 'SOURCES/copy.tar.gz'), '-C', dirname(release), 'copy']);
    const made = request([...base, ...(await buildRpms(copySpec(), EPOCH, top))]);
    await buildImage(host, ports, made);
    const problems = async (sourceRpms: ReadonlyMap<string, string>) => {
      const error = await failure(
        bootTest(host, ports, {
          definition: made.definition,
          archive: join(made.outputDirectory, 'small.oci.tar'),
          rpms: made.rpms,
          sourceRpms,
          customized: ['/etc/hostname'],
          startedPackages: ['base'],
          hostPaths: [],
        }),
      );
      return error.diagnostics.map(({ message }) => message.replace(/ of copy-1-1.*/, '')).sort();
    };
    const foreign = (path: string) => `no file is one of the toolchain: ${path}`;
    const [program, text] = ['/usr/bin/stolen', '/usr/share/copy/rpmrc'].map(foreign);
    const name = 'copy-1-1.src.rpm';
    expect(await problems(new Map())).toEqual([program, foreign('/usr/share/copy/macros'), text]);
    expect(await problems(new Map([[name, join(top, 'SRPMS', name)]]))).toEqual([program, text]);
  });

  it.each<[string, string, string, RegExp]>([
    [
      'a missing dependency',
      'IMAGE_INSTALL_FAILED',
      specWith('a', 'Requires: nobody', '%files'),
      /nobody is needed by a-1-1/,
    ],
    [
      'an owner that does not exist',
      'IMAGE_OWNER_UNKNOWN',
      specWith(
        'a',
        'Requires: base',
        '%install',
        'install -D /dev/null %{buildroot}/etc/a',
        '%files',
        '%attr(-,nobody-knows,root) /etc/a',
      ),
      /user nobody-knows does not exist/,
    ],
    [
      'a failing scriptlet',
      'IMAGE_SCRIPTLET_FAILED',
      specWith('a', 'Requires(post): base', '%post -p /usr/bin/bash', 'exit 7', '%files'),
      /%post\(a-1-1.x86_64\) scriptlet failed, exit status 7/,
    ],
  ])('refuses %s and leaves nothing', async (_, code, spec, message) => {
    const made = request([...base, ...(await buildRpms(spec, EPOCH))]);
    const error = await failure(buildImage(host, ports, made));
    expect(error.code).toBe(code);
    expect(error.diagnostics.map((one) => one.message).join('\n')).toMatch(message);
    expect(existsSync(made.outputDirectory)).toBe(false);
  });

  it('refuses RPMs that are not the ones asked for', async () => {
    const [rpm] = base as [ImageRpm];
    const other = request([{ ...rpm, sha256: sha256('other') }]);
    expect((await failure(buildImage(host, ports, other))).code).toBe('RPM_DIGEST_MISMATCH');
    expect((await failure(buildImage(host, ports, request([{ ...rpm, nevra: 'base-2-1.x86_64' }])))).code).toBe(
      'IMAGE_RPM_UNEXPECTED',
    );
    const early = { ...request([rpm]), sourceDateEpoch: EPOCH - 1 };
    expect((await failure(buildImage(host, ports, early))).code).toBe('IMAGE_EPOCH_TOO_OLD');
  });

  it('refuses an archive that was changed', async () => {
    const made = request(base);
    await buildImage(host, ports, made);
    const archive = join(made.outputDirectory, 'small.oci.tar');
    const bytes = readFileSync(archive);
    for (const offset of [bytes.length - 20_000, bytes.indexOf('"diff_ids"'), bytes.indexOf('"schemaVersion":2')]) {
      const changed = Buffer.from(bytes);
      changed[offset + 2]! ^= 1;
      writeFileSync(archive, changed);
      expect((await failure(readOciArchive(archive))).code).toBe('ARCHIVE_MALFORMED');
    }
    expect(readdirSync(made.outputDirectory).sort()).toEqual([
      'SHA256SUMS',
      'small.oci.tar',
      'small.spdx.json',
      'small.tar.gz',
    ]);
  });
});
