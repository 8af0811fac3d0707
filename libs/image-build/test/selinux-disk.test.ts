/** Labels of a tiny policy of our own, in file systems that are looked at with e2fsprogs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import type { ImageArtifact, PartitionDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { labelCommands } from '../src/selinux-attributes.ts';
import { imageToolsRoot } from './image-tools.ts';
import { noCustomization } from './no-customization.ts';
import { EPOCH, smallImage } from './small-image.ts';
import { baseSpec, specWith } from './test-packages.ts';
import { buildRpms, hasRpmbuild, makePorts, makeToolRoot, removeTemporaryDirectories } from './tool-root.ts';

const MINUTE = 60_000;
const MIB = 1_048_576;
const label = (type: string) => `system_u:object_r:${type}_t:s0`;
const POLICY = [
  `/.* ${label('default')}`,
  `/ -d ${label('root')}`,
  `/lost\\+found -d ${label('lost')}`,
  `/usr/bin(/.*)? ${label('bin')}`,
  `/srv(/.*)? ${label('srv')}`,
  `/srv/lost\\+found -d ${label('lost')}`,
  '/srv/none <<none>>',
];

const policySpec = specWith(
  'policy',
  'Requires(post): base',
  '%install',
  'mkdir -p %{buildroot}/etc/selinux/mini/contexts/files "%{buildroot}/srv/a b"',
  "printf 'SELINUX=disabled\\nSELINUXTYPE=mini\\n' > %{buildroot}/etc/selinux/config",
  `printf '%%s\\n' '${POLICY.join("' '")}' > %{buildroot}/etc/selinux/mini/contexts/files/file_contexts`,
  `touch '%{buildroot}/srv/a b/quote"d' %{buildroot}/srv/none`,
  '%files',
  '/etc/selinux',
  '/srv',
);

const host = createHost();
let ports: ImagePorts;
let tools: string;
let rpms: ImageRpm[];

const partition = (id: string, startMiB: number, endMiB: number, point: string): PartitionDefinition => ({
  id,
  name: '',
  isActive: false,
  startMiB,
  endMiB,
  artifacts: [],
  fileSystem: 'ext4',
  mount: { point, options: 'defaults', identifier: 'uuid' },
});

function request(artifacts: readonly ImageArtifact['type'][]): ImageRequest {
  return smallImage(rpms, {
    name: 'labelled',
    artifacts: artifacts.map((type) => ({ type, fileName: `labelled.${type}` })),
    disk: { table: 'gpt', sizeMiB: 48, partitions: [partition('root', 1, 33, '/'), partition('srv', 33, 47, '/srv')] },
    customization: { ...noCustomization, selinux: 'enforcing' },
  });
}

/** What debugfs says of the attribute of a file in a file system. */
async function labelIn(directory: string, image: string, path: string): Promise<string> {
  const { stdout } = await ports.run({
    argv: ['debugfs', '-R', `ea_get ${path} security.selinux`, `/images/${image}`],
    layers: [tools],
    mounts: [{ source: directory, target: '/images', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', LC_ALL: 'C' },
  });
  return /"(.*)"/.exec(stdout)?.[1] ?? 'none';
}

describe.skipIf(!hasRpmbuild())('labels of a policy', () => {
  let made: ImageRequest;

  beforeAll(async () => {
    tools = await imageToolsRoot(host);
    ports = { ...makePorts(host, makeToolRoot()), imageTools: () => Promise.resolve(tools) };
    rpms = [...(await buildRpms(baseSpec(), EPOCH)), ...(await buildRpms(policySpec, EPOCH))];
    made = request(['raw', 'ext4']);
    await buildImage(host, ports, made);
  }, 5 * MINUTE);
  afterAll(removeTemporaryDirectories);

  it.each<[string, string, string]>([
    [`labelled.raw?offset=${MIB}`, '/', label('root')],
    [`labelled.raw?offset=${MIB}`, '/usr/bin/bash', label('bin')],
    [`labelled.raw?offset=${MIB}`, '/bin', label('default')],
    [`labelled.raw?offset=${MIB}`, '/etc/selinux/config', label('default')],
    [`labelled.raw?offset=${MIB}`, '/lost+found', label('lost')],
    [`labelled.raw?offset=${MIB}`, '/srv', label('srv')],
    [`labelled.raw?offset=${33 * MIB}`, '/', label('srv')],
    [`labelled.raw?offset=${33 * MIB}`, '"/a b/quote""d"', label('srv')],
    [`labelled.raw?offset=${33 * MIB}`, '/none', 'none'],
    [`labelled.raw?offset=${33 * MIB}`, '/lost+found', label('lost')],
    ['labelled.ext4', '/srv/none', 'none'],
    ['labelled.ext4', '/usr/bin/sh', label('bin')],
  ])('%s: %s has %s', async (image, path, expected) => {
    expect(await labelIn(made.outputDirectory, image, path)).toBe(expected);
  });

  it('are the same twice, in file systems without faults', { timeout: 2 * MINUTE }, async () => {
    const again = request(['raw', 'ext4']);
    await buildImage(host, ports, again);
    const sums = (directory: string) => readFileSync(join(directory, 'SHA256SUMS'), 'utf8');
    expect(sums(again.outputDirectory)).toBe(sums(made.outputDirectory));
    const { status, stdout } = await ports.run({
      argv: ['e2fsck', '-f', '-n', '/images/labelled.ext4'],
      layers: [tools],
      mounts: [{ source: made.outputDirectory, target: '/images', writable: false }],
      environment: { PATH: '/usr/bin:/usr/sbin', LC_ALL: 'C' },
    });
    expect(status, stdout).toBe(0);
  });

  it('are refused where there is no place for them yet', async () => {
    await expect(buildImage(host, ports, request(['squashfs']))).rejects.toMatchObject({
      code: 'IMAGE_FEATURE_UNSUPPORTED',
    });
  });
});

describe('labelCommands', () => {
  it('refuses a name that no command can have', () => {
    const labels = { files: [{ path: '/a\nb', label: label('a') }], ofDirectory: () => undefined };
    expect(() => labelCommands(labels, { point: '/', hidden: [] })).toThrow("can't be labelled");
    expect(labelCommands(labels, { point: '/srv', hidden: [] })).toBe('');
  });
});
