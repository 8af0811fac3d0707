/** What a definition asks for, in a form that people and programs can compare; nothing is built for it. */
import type { Diagnostic } from '@kiln/diagnostics';
import { formatDependency } from '@kiln/rpm-package';
import type { DefinitionFiles } from './definition-files.ts';
import { loadDefinition, type LoadedSystem } from './image-definition.ts';

/** Plain data, without secrets. */
export interface DefinitionPlan {
  readonly name: string;
  readonly file: string;
  /** Every file that has a part in it. */
  readonly files: readonly string[];
  readonly systems: readonly SystemPlan[];
  readonly partitionTable: string;
  readonly partitions: readonly PartitionPlan[];
  readonly artifacts: readonly ArtifactPlan[];
  /** The parts that Kiln doesn't build, each with its place and reason. */
  readonly refused: readonly Diagnostic[];
}

export interface SystemPlan {
  readonly name: string;
  readonly bootType: string;
  readonly hostname?: string;
  /** As they are asked for: `name`, or `name op version`; with the kernel. */
  readonly packages: readonly string[];
  readonly users: readonly string[];
  readonly groups: readonly string[];
  /** Paths in the image. */
  readonly files: readonly string[];
  readonly scripts: readonly string[];
  readonly services: { readonly enable: readonly string[]; readonly disable: readonly string[] };
}

export interface PartitionPlan {
  readonly id: string;
  readonly fileSystem: string;
  /** MiB. */
  readonly start: number;
  /** MiB; 0 for the end of the disk. */
  readonly end: number;
  /** Of the first system; empty when it isn't mounted. */
  readonly mountPoint: string;
}

export interface ArtifactPlan {
  readonly name: string;
  /** Type and compression. */
  readonly kind: string;
  /** The partition that it is made from; of the whole when it is missing. */
  readonly partition?: string;
}

/** @throws BuildError those of `readImageDefinition` without `IMAGE_FEATURE_UNSUPPORTED`: that is in the plan. */
export function planDefinition(file: string, files: DefinitionFiles): DefinitionPlan {
  const loaded = loadDefinition(file, files);
  // Of an installer, what people choose from, and how it is installed.
  const parts = loaded.parts.map((part) => loadDefinition(part, files));
  const config = parts[0]?.config ?? loaded.config;
  const disk = config.Disks?.[0];
  const settings = config.SystemConfigs[0]?.PartitionSettings ?? [];
  return {
    name: loaded.name,
    file,
    files: loaded.files,
    systems: (parts.length === 0 ? [loaded] : parts).flatMap(({ systems }) => systems.map(planSystem)),
    partitionTable: disk?.PartitionTableType ?? '',
    partitions: (disk?.Partitions ?? []).map(({ ID, FsType = '', Start = 0, End = 0 }) => ({
      id: ID,
      fileSystem: FsType,
      start: Start,
      end: End,
      mountPoint: settings.find((one) => one.ID === ID)?.MountPoint ?? '',
    })),
    artifacts: loaded.artifacts.map(({ name, kind, partition }) => ({
      name,
      kind,
      ...(partition === undefined ? {} : { partition }),
    })),
    refused: loaded.unsupported,
  };
}

function planSystem({ config, packages, customization }: LoadedSystem): SystemPlan {
  const { users, groups, files, services, postInstallScripts, finalizeScripts } = customization;
  return {
    name: config.Name,
    bootType: config.BootType ?? '',
    ...(config.Hostname ? { hostname: config.Hostname } : {}),
    packages: packages.map(({ dependency }) => formatDependency(dependency)),
    users: users.map(({ name }) => name),
    groups: groups.map(({ name }) => name),
    files: files.map(({ path }) => path),
    scripts: [...postInstallScripts, ...finalizeScripts].map(({ source }) => source),
    services,
  };
}
