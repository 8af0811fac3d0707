/** How a container is run. */
import type { SystemConfig } from './image-config-schema.ts';

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
