/** The environment of the toolchain's own programs. */
import { LAYER_TIME } from './layer-recipe.ts';

export const TOOL_ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/tmp',
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/bin:/usr/sbin:/usr/lib/rpm',
  SOURCE_DATE_EPOCH: String(LAYER_TIME),
  TZ: 'UTC',
};
