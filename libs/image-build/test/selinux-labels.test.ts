import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { createHost } from '@kiln/host';
import type { SelinuxMode } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageStage } from '../src/image-stage.ts';
import { rootLabels } from '../src/selinux-labels.ts';
import { noCustomization } from './no-customization.ts';
import { hasRpmbuild, makePorts, makeToolRoot, removeTemporaryDirectories, temporaryDirectory } from './tool-root.ts';

const POLICY = 'etc/selinux/mini/contexts/files';
const label = (type: string) => `system_u:object_r:${type}_t:s0`;

let stage: (root: string, selinux?: SelinuxMode) => Promise<ImageStage>;

function rootWith(files: Readonly<Record<string, string>>): string {
  const root = temporaryDirectory('root');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe.skipIf(!hasRpmbuild())('rootLabels', () => {
  beforeAll(() => {
    const ports = makePorts(createHost({}), makeToolRoot());
    stage = async (root, selinux) => ({
      ports,
      directories: { root, output: await ports.makeWorkDirectory('output'), packages: temporaryDirectory('packages') },
      request: {
        definition: {
          name: 'labelled',
          file: 'labelled.json',
          files: [],
          places: {},
          packages: [],
          artifacts: [],
          boot: { type: 'none', commandLine: [] },
          removeRpmDb: false,
          disableRpmDocs: false,
          hidepid: false,
          customization: { ...noCustomization, ...(selinux === undefined ? {} : { selinux }) },
          container: { env: {}, labels: {}, exposedPorts: [], volumes: [] },
        },
        identity: sha256('labelled'),
        arch: 'x86_64',
        sourceDateEpoch: 1_700_000_000,
        rpms: [],
        localFiles: {},
        outputDirectory: '/nowhere',
      },
    });
  });
  afterAll(removeTemporaryDirectories);

  it('labels every file by the policy that the root is configured for', async () => {
    const root = rootWith({
      'etc/selinux/config': 'SELINUX=enforcing\nSELINUXTYPE=mini\n',
      [`${POLICY}/file_contexts`]: `/.* ${label('default')}\n/ -d ${label('root')}\n/usr(/.*)? ${label('usr')}\n/srv/secret <<none>>\n/etc/selinux(/.*)? ${label('policy')}\n`,
      [`${POLICY}/file_contexts.local`]: `/usr/bin/own -- ${label('own')}\n`,
      [`${POLICY}/file_contexts.subs_dist`]: '/bin /usr/bin\n/opt /usr\n',
      'usr/bin/own': 'x',
      'opt/a': 'x',
      'srv/secret': 'x',
    });
    symlinkSync('usr/bin', join(root, 'bin'));
    const labels = new Map(
      (await rootLabels(await stage(root, 'enforcing')))!.files.map((one) => [one.path, one.label]),
    );
    expect(labels.get('/')).toBe(label('root'));
    expect(labels.get('/etc')).toBe(label('default'));
    expect(labels.get('/etc/selinux/config')).toBe(label('policy'));
    expect(labels.get('/usr/bin/own')).toBe(label('own'));
    expect(labels.get('/opt/a')).toBe(label('usr'));
    expect(labels.get('/bin')).toBe(label('usr'));
    expect(labels.has('/srv/secret')).toBe(false);
    expect([...labels.keys()]).toEqual([...labels.keys()].sort());
  });

  it('has none without a mode, and fails without a policy', async () => {
    const root = rootWith({ 'etc/selinux/config': 'SELINUXTYPE=mini\n' });
    expect(await rootLabels(await stage(root))).toBeUndefined();
    await expect(rootLabels(await stage(root, 'permissive'))).rejects.toMatchObject({
      code: 'IMAGE_SELINUX_MISSING',
      message: 'labelled: there is no /etc/selinux/mini/contexts/files/file_contexts to label files by',
    });
  });
});
