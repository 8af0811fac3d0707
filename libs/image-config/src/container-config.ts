/** How a container is run. */
import type { SystemConfig } from './image-config-schema.ts';
import { listItems, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

/** How a container is run; the members that the definition doesn't give are absent or empty. */
export interface ContainerConfig {
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal?: string;
}

/** From the member `Container`. */
export function toContainer({ Container: container = {} }: SystemConfig): ContainerConfig {
  return {
    ...(container.Cmd === undefined ? {} : { cmd: container.Cmd }),
    ...(container.Entrypoint === undefined ? {} : { entrypoint: container.Entrypoint }),
    env: container.Env ?? {},
    labels: container.Labels ?? {},
    ...(container.User ? { user: container.User } : {}),
    ...(container.WorkingDir === undefined ? {} : { workingDir: container.WorkingDir }),
    exposedPorts: container.ExposedPorts ?? [],
    volumes: container.Volumes ?? [],
    ...(container.StopSignal === undefined ? {} : { stopSignal: container.StopSignal }),
  };
}

const LARGEST_PORT = 65_535;

/** Notes what no program that runs containers takes. */
export function checkContainer(system: LocatedJson, problems: ProblemList): void {
  const variables = valueAt(system, ['Container', 'Env']);
  for (const [name, { keyLocation }] of variables?.kind === 'object' ? variables.members : [])
    if (!/^[^=\0]+$/.test(name)) problems.add(`'${name}' can't be the name of an environment variable`, keyLocation);
  for (const port of listItems(valueAt(system, ['Container', 'ExposedPorts'])))
    if (port.kind === 'scalar' && Number.parseInt(String(port.value), 10) > LARGEST_PORT)
      problems.add(`'${port.value}' is no port: the last one is ${LARGEST_PORT}`, port.location);
}
