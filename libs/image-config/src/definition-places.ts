/** Where the parts of a definition were written, for messages about what can only be found out when the image is made. */
import type { SourceLocation } from '@kiln/diagnostics';
import { plainPath } from './additional-files.ts';
import { resolvePath } from './definition-files.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';

/** By the name of a part: `partition root`, `user me`, `group app`, `file /etc/motd`, `script images/run`, or that of a member of the system. */
export type DefinitionPlaces = Readonly<Record<string, SourceLocation>>;

/** Of a valid definition; the first system is meant. */
export function readPlaces(json: LocatedJson): DefinitionPlaces {
  const system = valueAt(json, ['SystemConfigs', '0'])!;
  const members = system.kind === 'object' ? [...system.members] : [];
  const named = (list: LocatedJson | undefined, member: string, nameOf: (text: string, file: string) => string) =>
    listItems(list).map((place): [string, SourceLocation] => {
      const name = valueAt(place, [member])!;
      return [nameOf(String(plainValue(name)), name.location.file), place.location];
    });
  const script = (path: string, file: string) => `script ${resolvePath(file, path)}`;
  return Object.fromEntries([
    ...members.map(([name, { keyLocation }]): [string, SourceLocation] => [name, keyLocation]),
    ...named(valueAt(json, ['Disks', '0', 'Partitions']), 'ID', (id) => `partition ${id}`),
    ...named(valueAt(system, ['Users']), 'Name', (name) => `user ${name}`),
    ...named(valueAt(system, ['Groups']), 'Name', (name) => `group ${name}`),
    ...named(valueAt(system, ['PostInstallScripts']), 'Path', script),
    ...named(valueAt(system, ['FinalizeImageScripts']), 'Path', script),
    ...['AdditionalDirs', 'AdditionalFiles'].flatMap((member) => destinations(valueAt(system, [member]))),
    ...linkPlaces(valueAt(system, ['AdditionalLinks'])),
  ]);
}

function destinations(value: LocatedJson | undefined): [string, SourceLocation][] {
  const values = value?.kind === 'object' ? [...value.members.values()] : [];
  const places = values.flatMap((member) => (member.value.kind === 'list' ? member.value.items : [member.value]));
  return places.map((place) => {
    const path = String(plainValue(valueAt(place, ['Path']) ?? place));
    return [`file ${plainPath(path)}`, place.location];
  });
}

function linkPlaces(value: LocatedJson | undefined): [string, SourceLocation][] {
  const members = value?.kind === 'object' ? [...value.members] : [];
  return members.map(([path, { keyLocation }]) => [`file ${plainPath(path)}`, keyLocation]);
}
