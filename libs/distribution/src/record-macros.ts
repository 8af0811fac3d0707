/** Records what the shell commands in macros print in the build root, so that reading the tree never runs them. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { evaluateSpec } from '@kiln/rpm-spec';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import { DISTRO_FILE } from './distro-config.ts';
import { evaluationPorts } from './evaluate-package.ts';
import { formatMacroAnswers, readMacroAnswers } from './macro-answers.ts';
import { macroEnvironment } from './macro-files.ts';
import type { Session } from './session.ts';

/** Where the tree is in the sandbox. */
const TREE = '/usr/src/tree';
const SECONDS_PER_COMMAND = 60;
/** Answers may lead to further commands. */
const MOST_ROUNDS = 20;

export interface MacroRecording {
  /** Workspace-relative path of the file. */
  readonly file: string;
  readonly commands: number;
  readonly added: readonly string[];
  /** Recorded before, but nobody asks any more. */
  readonly removed: readonly string[];
}

/**
 * Runs every command that the tree's specs ask, in the sandbox on the toolchain, and writes the file that `macroAnswers` names.
 * @throws BuildError `MACRO_ANSWERS_UNSET`, `MACRO_COMMANDS_ENDLESS` and those of toolchain and sandbox.
 */
export async function recordMacros(
  session: Session,
  options: { readonly again?: boolean } = {},
): Promise<MacroRecording> {
  const { root, config } = session.distribution;
  if (config.macroAnswers === undefined) {
    throw new BuildError('MACRO_ANSWERS_UNSET', `${DISTRO_FILE} doesn't say where answers are kept`, {
      location: { file: DISTRO_FILE, line: 1 },
      hint: 'add "macroAnswers": "toolkit/macro-answers.json"',
    });
  }
  const before = readMacroAnswers(root, config);
  const answers = new Map(options.again === true ? [] : before);
  const asked = await answerAll(session, answers);
  const kept = new Map([...answers].filter(([command]) => asked.has(command)));
  await writeFileAtomic(join(root, config.macroAnswers), formatMacroAnswers(kept));
  return {
    file: config.macroAnswers,
    commands: kept.size,
    added: [...kept.keys()].filter((command) => !before.has(command)).sort(),
    removed: [...before.keys()].filter((command) => !kept.has(command)).sort(),
  };
}

/** Adds answers until no spec asks for one that isn't there; gives all commands that were asked. */
async function answerAll(session: Session, answers: Map<string, string>): Promise<Set<string>> {
  let sandbox: CommandSandbox | undefined;
  try {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const asked = await askedCommands(session, answers);
      const open = [...asked].filter((command) => !answers.has(command));
      if (open.length === 0) return asked;
      sandbox ??= await openCommandSandbox(session);
      for (const [index, command] of open.entries()) {
        const progress = {
          action: 'record-macros',
          subject: 'macros',
          message: command,
          done: index,
          total: open.length,
        } as const;
        session.host.emit({ type: 'progress', ...progress, unit: 'steps' });
        answers.set(command, await sandbox.run(command));
      }
    }
  } finally {
    await sandbox?.close();
  }
  throw new BuildError('MACRO_COMMANDS_ENDLESS', `after ${MOST_ROUNDS} rounds answers still lead to new commands`);
}

async function askedCommands({ distribution }: Session, answers: ReadonlyMap<string, string>): Promise<Set<string>> {
  const { root, config, macroFiles, packages } = distribution;
  const environment = macroEnvironment(config, macroFiles);
  const ports = evaluationPorts({ root, macroFiles, answers, lua: await createLuaPort() });
  const asked = packages.flatMap(
    ({ specFile, spec, directory }) =>
      evaluateSpec({ file: specFile, text: spec.text, environment, ports, sourceDir: directory }).shellCommands,
  );
  return new Set(asked);
}

interface CommandSandbox {
  /** Standard output of a command; its status and errors don't count, as in rpm. */
  run(command: string): Promise<string>;
  close(): Promise<void>;
}

async function openCommandSandbox(session: Session): Promise<CommandSandbox> {
  const { host, store, distribution } = session;
  const { layer } = await session.toolchain();
  const work = await makeWorkDirectory(host, store, 'record-macros');
  for (const specRoot of distribution.config.specRoots) {
    await cp(join(distribution.root, specRoot), join(work, specRoot), { recursive: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      },
    );
  }
  return {
    run: async (command) => {
      const { stdout } = await runSandboxed(host, {
        layers: [layer],
        mounts: [{ source: work, target: TREE, writable: false }],
        cwd: TREE,
        argv: ['bash', '-c', command],
        environment: { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC' },
        identity: 'builder',
        timeoutSeconds: SECONDS_PER_COMMAND,
      });
      return stdout;
    },
    close: () => removeWorkDirectory(host, work),
  };
}
