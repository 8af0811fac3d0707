/**
 * Definitions that are installers as Azure Linux has them: systems to choose from and nothing to make. The medium and each of the systems are
 * images of their own: `full.json` is the medium, `full.json#Azure Linux Core` one of its systems.
 */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import type { ImageConfig } from './image-config-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson, type LocatedMember } from './located-json.ts';

/** What an image is read from: a file, or one system of it. */
export interface DefinitionPart {
  readonly file: string;
  readonly system?: string;
}

/** Of the medium's own system, beside the kernel of the systems. */
const MEDIUM_PACKAGES = [
  ...['bash', 'coreutils', 'dbus', 'filesystem', 'kiln-installer', 'kmod', 'less', 'libgcc'],
  ...['system-release', 'systemd', 'systemd-udev', 'util-linux'],
];

const SEPARATOR = '#';

export function parsePart(reference: string): DefinitionPart {
  const at = reference.indexOf(SEPARATOR);
  return at < 0 ? { file: reference } : { file: reference.slice(0, at), system: reference.slice(at + 1) };
}

/** The file's name without extension; of a system its own name follows in small letters. */
export function imageName({ file, system }: DefinitionPart): string {
  const name = file.slice(file.lastIndexOf('/') + 1).replace(/\.json$/, '');
  return system === undefined ? name : `${name}-${system.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
}

/** Whether a valid definition is for an installer alone: nothing is to be made of it, but somebody chooses, a disk is named, or scripts name it. */
export function isInstaller(json: LocatedJson): boolean {
  const { Disks: disks = [], SystemConfigs: systems } = plainValue(json) as ImageConfig;
  const [first] = systems;
  if (first?.Installer !== undefined || disks.length > 1) return false;
  const [disk] = disks;
  const artifacts = [disk, ...(disk?.Partitions ?? [])].flatMap((owner) => owner?.Artifacts ?? []);
  const isTargeted = (disk?.TargetDisk?.Value ?? '') !== '';
  return artifacts.length === 0 && (systems.length > 1 || isTargeted || first?.IsKickStartBoot === true);
}

/** The references of an installer's systems; none of another definition. */
export function systemReferences(file: string, json: LocatedJson): string[] {
  if (!isInstaller(json)) return [];
  return (plainValue(json) as ImageConfig).SystemConfigs.map(({ Name }) => `${file}${SEPARATOR}${Name}`);
}

/**
 * The definition of one image of a file: the file's own when that is no installer.
 * @throws BuildError `IMAGE_SYSTEM_UNKNOWN`
 */
export function definitionOf({ file, system }: DefinitionPart, json: LocatedJson, from?: SourceLocation): LocatedJson {
  const isOne = isInstaller(json);
  if (system === undefined) return isOne ? mediumOf(file, json) : json;
  const systems = listItems(valueAt(json, ['SystemConfigs']));
  const found = isOne ? systems.find((place) => nameOf(place) === system) : undefined;
  if (found !== undefined) return systemOf(found, json);
  throw new BuildError('IMAGE_SYSTEM_UNKNOWN', `'${file}' has no system '${system}' to install`, {
    ...(from === undefined ? {} : { location: from }),
    hint: isOne
      ? `its systems are: ${systems.map(nameOf).join(', ')}`
      : `it is one image: write '${file.slice(file.lastIndexOf('/') + 1)}'`,
  });
}

/** The medium starts by itself, and has the kernel of its first system. */
function mediumOf(file: string, json: LocatedJson): LocatedJson {
  const place = valueAt(json, ['SystemConfigs'])!;
  const [first] = listItems(place);
  const kernel = valueAt(first!, ['KernelOptions', 'default']);
  const target = valueAt(json, ['Disks', '0', 'TargetDisk']);
  const medium = located(
    {
      Name: 'Installer',
      Hostname: 'installer',
      Packages: MEDIUM_PACKAGES,
      KernelCommandLine: { ExtraCommandLine: 'console=tty0 console=ttyS0' },
      DisableRpmDocs: true,
      Services: { Enable: ['kiln-installer'] },
      Installer: {
        Systems: systemReferences(file.slice(file.lastIndexOf('/') + 1), json),
      },
    },
    place.location,
  );
  const disk = located({ Artifacts: [{ Type: 'iso' }] }, json.location);
  return withMembers(json, {
    Disks: listOf([target === undefined ? disk : withMembers(disk, { TargetDisk: target })], json.location),
    SystemConfigs: listOf(
      [
        kernel === undefined
          ? medium
          : withMembers(medium, { KernelOptions: withMembers(located({}, kernel.location), { default: kernel }) }),
      ],
      place.location,
    ),
  });
}

/** One system; its disk is what the installer makes. */
function systemOf(system: LocatedJson, json: LocatedJson): LocatedJson {
  const disk = valueAt(json, ['Disks', '0']) ?? located({}, system.location);
  const artifacts = located([{ Type: 'tar.zst' }], system.location);
  const installed = withMembers(disk, { Artifacts: artifacts }, ['TargetDisk']);
  return withMembers(json, {
    Disks: listOf([installed], disk.location),
    SystemConfigs: listOf([system], system.location),
  });
}

function nameOf(system: LocatedJson): string {
  return String(plainValue(valueAt(system, ['Name'])!));
}

/** A value that nobody wrote, with the place that it comes from. */
function located(value: unknown, location: SourceLocation): LocatedJson {
  if (Array.isArray(value))
    return listOf(
      value.map((one) => located(one, location)),
      location,
    );
  if (typeof value !== 'object' || value === null)
    return { kind: 'scalar', value: value as string | number | boolean | null, location };
  const members = Object.entries(value).map(([key, one]): [string, LocatedMember] => [
    key,
    { keyLocation: location, value: located(one, location) },
  ]);
  return { kind: 'object', members: new Map(members), location };
}

function listOf(items: readonly LocatedJson[], location: SourceLocation): LocatedJson {
  return { kind: 'list', items, location };
}

function withMembers(
  json: LocatedJson,
  changed: Readonly<Record<string, LocatedJson>>,
  removed: readonly string[] = [],
): LocatedJson {
  if (json.kind !== 'object') return json;
  const members = new Map([...json.members].filter(([key]) => !removed.includes(key)));
  for (const [key, value] of Object.entries(changed))
    members.set(key, { keyLocation: members.get(key)?.keyLocation ?? value.location, value });
  return { ...json, members };
}
