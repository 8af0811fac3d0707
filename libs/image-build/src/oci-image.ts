/** The documents of an OCI image: configuration, manifest, index (OCI image specification 1.1: config.md, manifest.md, image-layout.md). */
import { canonicalJson, sha256, type Json, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { ContainerConfig } from '@kiln/image-config';

export const OCI_MEDIA_TYPE = {
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** A document with the name by which others refer to it. */
export interface OciDocument {
  readonly text: string;
  readonly digest: Sha256;
}

export interface OciLayer {
  /** Of the compressed tar archive. */
  readonly digest: Sha256;
  readonly size: number;
  /** Of the tar archive itself. */
  readonly diffId: Sha256;
  /** What is in it, for people. */
  readonly content: string;
}

export interface OciImageRequest {
  /** Name of the definition. */
  readonly name: string;
  readonly arch: string;
  readonly sourceDateEpoch: number;
  readonly container: ContainerConfig;
  readonly osRelease: Readonly<Record<string, string>>;
  /** Lowest first. */
  readonly layers: readonly OciLayer[];
}

/** The documents of an image; the index is the layout's index.json. */
export interface OciDocuments {
  readonly config: OciDocument;
  readonly manifest: OciDocument;
  readonly index: OciDocument;
}

/** rpm's names of architectures → Go's, which OCI uses (config.md: `architecture`, `variant`). */
const ARCHITECTURES: Readonly<Record<string, { readonly architecture: string; readonly variant?: string }>> = {
  x86_64: { architecture: 'amd64' },
  aarch64: { architecture: 'arm64', variant: 'v8' },
  i686: { architecture: '386' },
  ppc64le: { architecture: 'ppc64le' },
  riscv64: { architecture: 'riscv64' },
  s390x: { architecture: 's390x' },
};

/** Annotation (annotations.md) → the field of os-release that says it. */
const ANNOTATION_SOURCES: readonly (readonly [string, string])[] = [
  ['org.opencontainers.image.version', 'VERSION_ID'],
  ['org.opencontainers.image.vendor', 'VENDOR_NAME'],
  ['org.opencontainers.image.url', 'HOME_URL'],
  ['org.opencontainers.image.documentation', 'DOCUMENTATION_URL'],
  ['org.opencontainers.image.description', 'PRETTY_NAME'],
];

const REF_NAME = 'org.opencontainers.image.ref.name';

/** @throws BuildError `IMAGE_ARCH_UNKNOWN` when OCI has no name for the architecture. */
export function ociDocuments(request: OciImageRequest): OciDocuments {
  const annotations = ociAnnotations(request);
  const config = toDocument(ociConfig(request, annotations));
  const manifest = toDocument({
    schemaVersion: 2,
    mediaType: OCI_MEDIA_TYPE.manifest,
    config: descriptor(OCI_MEDIA_TYPE.config, config),
    layers: request.layers.map(({ digest, size }) => ({
      mediaType: OCI_MEDIA_TYPE.layer,
      digest: `sha256:${digest}`,
      size,
    })),
    annotations,
  });
  const platform = { ...ociArchitecture(request.arch), os: 'linux' };
  const index = toDocument({
    schemaVersion: 2,
    mediaType: OCI_MEDIA_TYPE.index,
    manifests: [{ ...descriptor(OCI_MEDIA_TYPE.manifest, manifest), platform, annotations: { [REF_NAME]: 'latest' } }],
  });
  return { config, manifest, index };
}

function ociConfig(
  { arch, sourceDateEpoch, container, layers, name }: OciImageRequest,
  annotations: Record<string, string>,
): Json {
  const created = rfc3339(sourceDateEpoch);
  return {
    ...ociArchitecture(arch),
    os: 'linux',
    created,
    config: {
      Cmd: container.cmd,
      Entrypoint: container.entrypoint,
      Env: Object.keys(container.env)
        .sort()
        .map((key) => `${key}=${container.env[key]}`),
      ExposedPorts: asSet(container.exposedPorts),
      Labels: { ...annotations, ...container.labels },
      StopSignal: container.stopSignal,
      User: container.user,
      Volumes: asSet(container.volumes),
      WorkingDir: container.workingDir,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => `sha256:${diffId}`) },
    history: layers.map(({ content }) => ({ created, created_by: `kiln image ${name}`, comment: content })),
  };
}

function ociAnnotations({ name, sourceDateEpoch, osRelease }: OciImageRequest): Record<string, string> {
  const stated = ANNOTATION_SOURCES.flatMap(([annotation, field]) => {
    const value = osRelease[field];
    return value === undefined || value === '' ? [] : [[annotation, value] as const];
  });
  return {
    'org.opencontainers.image.created': rfc3339(sourceDateEpoch),
    'org.opencontainers.image.title': name,
    ...Object.fromEntries(stated),
  };
}

function ociArchitecture(arch: string): { readonly architecture: string; readonly variant?: string } {
  const known = ARCHITECTURES[arch];
  if (known !== undefined) return known;
  throw new BuildError('IMAGE_ARCH_UNKNOWN', `OCI images have no name for the architecture '${arch}'`, {
    hint: `use one of: ${Object.keys(ARCHITECTURES).join(', ')}`,
  });
}

/** OCI writes sets as objects with empty members. */
function asSet(values: readonly string[]): Json | undefined {
  return values.length === 0 ? undefined : Object.fromEntries(values.map((value) => [value, {}]));
}

function descriptor(
  mediaType: string,
  { text, digest }: OciDocument,
): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
}

function toDocument(value: Json): OciDocument {
  const text = canonicalJson(value);
  return { text, digest: sha256(text) };
}

function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
