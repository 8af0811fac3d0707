/**
 * Command: loads and plans every image definition of a checkout of Azure Linux; see plan-image-configs.ts.
 * `npx tsx --conditions=development tools/conformance/image-configs.ts <directory> [--json]`.
 */
import './use-sources.ts';

const { planImageConfigs } = await import('./plan-image-configs.ts');
planImageConfigs(process.argv.slice(2));
