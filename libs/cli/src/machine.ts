/** The check that the main job makes before it starts: everything there, or put right after asking, or a clear refusal. */
import { createInterface } from 'node:readline/promises';
import { BuildError } from '@kiln/diagnostics';
import { shellQuote, type Host } from '@kiln/host';
import { hostOf, type CommandContext } from './context.ts';
import { examine, planRepairs, type Finding, type Repairs } from './examination.ts';
import { repair, repairCommands, type RepairContext } from './repair.ts';
import { machineRequirements, workspaceRequirements } from './requirements.ts';

export interface MachineOptions extends RepairContext {
  /** Whether a person can be asked on standard input. */
  readonly canAsk: boolean;
}

/** How often a repair may reveal the next one: a user that exists can be given subordinate ids. */
const ROUNDS = 5;

/**
 * Makes sure that the machine has what the stages need.
 * @throws BuildError `MACHINE_NOT_READY` with what is missing and how to get it, and those of `repair`.
 */
export async function prepareMachine(host: Host, options: MachineOptions): Promise<void> {
  const findings = await examine(host, machineRequirements());
  const missing = findings.filter(({ ok }) => !ok);
  if (missing.length === 0) return;
  const repairs = planRepairs(findings, await hasApt(host));
  options.say(`this machine lacks: ${missing.map(({ name }) => name).join(', ')}`);
  if (!(await isAllowed(host, repairs, options))) throw notReady(missing, repairs);
  const after = await repairMachine(host, options);
  const still = after.filter(({ ok }) => !ok);
  if (still.length > 0) throw notReady(still, planRepairs(still, await hasApt(host)));
}

/** The same for a command: its terminal is asked. */
export async function prepareMachineFor(context: CommandContext, root: string): Promise<void> {
  const { terminal } = context;
  await prepareMachine(hostOf(context), {
    root,
    say: (line) => void terminal.err.write(`kiln: ${line}\n`),
    canAsk: process.stdin.isTTY && terminal.out.isTTY,
  });
}

/** Repairs what can be repaired, round after round, and returns what is found then. */
export async function repairMachine(host: Host, options: RepairContext): Promise<Finding[]> {
  let findings = await examine(host, workspaceRequirements(options.root));
  let tried = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const repairs = planRepairs(findings, await hasApt(host));
    const commands = repairCommands(repairs).map(shellQuote).join('\n');
    if (commands === '' || commands === tried) break;
    tried = commands;
    await repair(host, repairs, options);
    findings = await examine(host, workspaceRequirements(options.root));
  }
  return findings;
}

/** Whether the machine installs packages with apt. */
export async function hasApt(host: Host): Promise<boolean> {
  const answer = await host.run({ argv: ['apt-get', '--version'] }).catch(() => undefined);
  return answer?.status === 0;
}

/** `KILN_YES=1` and `CI=true` say yes beforehand. */
function saidYes({ environment }: Host): boolean {
  return ['1', 'true'].includes(environment['KILN_YES'] ?? '') || ['1', 'true'].includes(environment['CI'] ?? '');
}

async function isAllowed(host: Host, repairs: Repairs, options: MachineOptions): Promise<boolean> {
  if (saidYes(host)) return true;
  if (!options.canAsk || repairCommands(repairs).length === 0) return false;
  for (const argv of repairCommands(repairs)) options.say(`  ${shellQuote(argv)}`);
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await prompt.question('Run these commands now? [Y/n] ');
    return /^(y|yes|)$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}

function notReady(missing: readonly Finding[], repairs: Repairs): BuildError {
  const commands = repairCommands(repairs).map(shellQuote);
  const diagnostics = [
    ...missing.map(({ name, why, message }) => ({
      severity: 'error' as const,
      code: 'REQUIREMENT_MISSING',
      message: `${name}: ${message || 'missing'} (${why})`,
    })),
    ...repairs.manual.map((message) => ({ severity: 'note' as const, code: 'REQUIREMENT_MANUAL', message })),
  ];
  return new BuildError('MACHINE_NOT_READY', `this machine lacks ${missing.length} of the things that Kiln needs`, {
    diagnostics,
    hint:
      commands.length === 0
        ? 'do what the notes say, then run the same command again; `kiln doctor` shows the state'
        : 'run `npx kiln doctor --fix`, or the same command with KILN_YES=1, or as root the command below',
    ...(commands.length === 0 ? {} : { command: commands.join(' && ') }),
  });
}
