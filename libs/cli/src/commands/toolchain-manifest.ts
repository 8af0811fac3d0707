/** `kiln toolchain-manifest`: resolves what a manifest asks for against its repositories and writes the packages into it. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { BuildError } from '@kiln/diagnostics';
import { loadDistribution, readDistroConfig, withSpecs } from '@kiln/distribution';
import { writeFileAtomic, type Host } from '@kiln/host';
import { withSigner } from '@kiln/rpm-repository';
import { defaultStoreDirectory, Store } from '@kiln/store';
import {
  formatToolchainManifest,
  makeToolchainManifest,
  parseToolchainManifest,
  readManifestFile,
  type ToolchainManifest,
} from '@kiln/toolchain';
import { hostOf, print, rootOf, type CommandContext } from '../context.ts';
import { createReporter } from '../reporter.ts';

export function addToolchainManifest(program: Command, context: () => CommandContext): void {
  program
    .command('toolchain-manifest')
    .description('resolve what a manifest of prebuilt RPMs asks for against its repositories and write it')
    .argument('[manifest]', 'workspace-relative path; that of toolkit/distro.json when omitted')
    .option('--sign', 'sign the manifest too, with the key that toolkit/distro.json names for it, or for publications')
    .action((manifest: string | undefined, options: ManifestOptions) => updateManifest(context(), manifest, options));
}

interface ManifestOptions {
  readonly sign?: boolean;
}

/** Writes a manifest, the configured one when none is given. @throws BuildError `TOOLCHAIN_*` */
export async function updateManifest(
  context: CommandContext,
  given: string | undefined,
  { sign = false }: ManifestOptions,
): Promise<void> {
  const root = rootOf(context);
  const file = given ?? configuredManifest(root);
  const { terminal } = context;
  const reporter = createReporter({ terminal, now: () => Date.now() });
  reporter.begin({ action: 'toolchain', subject: 'toolchain' });
  try {
    const host = hostOf(context, reporter.emit);
    const store = new Store(host, defaultStoreDirectory(host.environment));
    const before = parseToolchainManifest(readManifestFile(root, file), file);
    const made = await makeToolchainManifest({ host, store, root }, before, file);
    const { packages } = await loadDistribution(root, { isLocking: true });
    const after = withSpecs(root, made, packages);
    const text = formatToolchainManifest(after);
    const signature = sign ? await signatureOf(host, root, text) : undefined;
    const isUnsigned = await writeManifest(join(root, file), text, signature);
    const megabytes = after.packages.reduce((sum, { size }) => sum + size, 0) / 1e6;
    print(context, `wrote ${file}: ${after.packages.length} packages, ${megabytes.toFixed(0)} MB`);
    const whole = Object.keys(after.specs).length;
    print(context, `${whole} of the workspace's ${packages.length} packages are taken from it`);
    for (const line of manifestChanges(before, after)) print(context, line);
    if (isUnsigned) print(context, `${file}.asc was a signature of what it was before: sign it with --sign`);
  } finally {
    reporter.end();
  }
}

/** The armored signature. @throws BuildError `SIGNING_KEY_MISSING` where no key is named, and those of signing. */
async function signatureOf(host: Host, root: string, text: string): Promise<string> {
  const { toolchain, signing } = readDistroConfig(root);
  const key = (toolchain.provider === 'repository' ? toolchain.manifestKey : undefined) ?? signing;
  if (key === undefined) {
    throw new BuildError(
      'SIGNING_KEY_MISSING',
      'toolkit/distro.json names no key that the manifest could be signed with',
      {
        hint: 'name it as "manifestKey" of the toolchain (docs/toolchains.md)',
      },
    );
  }
  const signingKey = { fingerprint: key.key, publicKeyFile: join(root, key.publicKey) };
  const scratch = await mkdtemp(join(tmpdir(), 'kiln-manifest-'));
  try {
    const copy = join(scratch, 'manifest.json');
    await writeFile(copy, text);
    await withSigner(host, signingKey, (signer) => signer.signFile(copy, Math.floor(host.now() / 1000)));
    return await readFile(`${copy}.asc`, 'utf8');
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Never leaves a manifest beside the signature of another text. Returns whether it took away such a signature. */
async function writeManifest(path: string, text: string, signature: string | undefined): Promise<boolean> {
  const isOther = (await readFile(path, 'utf8')) !== text;
  const hadSignature = existsSync(`${path}.asc`);
  if (isOther) await rm(`${path}.asc`, { force: true });
  await writeFileAtomic(path, text);
  if (signature !== undefined) await writeFileAtomic(`${path}.asc`, signature);
  return isOther && hadSignature && signature === undefined;
}

/** @throws BuildError `TOOLCHAIN_MANIFEST_MISSING` */
function configuredManifest(root: string): string {
  const { toolchain } = readDistroConfig(root);
  if (toolchain.provider === 'repository') return toolchain.manifest;
  throw new BuildError('TOOLCHAIN_MANIFEST_MISSING', `the toolchain '${toolchain.provider}' has no manifest`, {
    hint: 'name the file: kiln toolchain-manifest toolkit/manifests/<name>.json',
  });
}

/** Members that came, went or became other files; nothing for a manifest that had none. */
export function manifestChanges(
  before: Pick<ToolchainManifest, 'packages'>,
  after: Pick<ToolchainManifest, 'packages'>,
): string[] {
  if (before.packages.length === 0) return [];
  const digests = (manifest: Pick<ToolchainManifest, 'packages'>) =>
    new Map(manifest.packages.map(({ nevra, sha256 }) => [nevra, sha256]));
  const [old, now] = [digests(before), digests(after)];
  const gone = [...old.keys()].filter((nevra) => !now.has(nevra)).map((nevra) => `- ${nevra}`);
  const come = [...now.keys()].filter((nevra) => !old.has(nevra)).map((nevra) => `+ ${nevra}`);
  const other = [...now].filter(([nevra, sha256]) => old.has(nevra) && old.get(nevra) !== sha256);
  return [...gone, ...come, ...other.map(([nevra]) => `! ${nevra} is another file`)];
}
