/**
 * Answers to %(…) as in the root in which Azure Linux reads its specs: recorded ones first, else the command runs in bash with
 * stand-ins for the programs whose version shows (perl, python3, gcc, rpm); programs that are not in that root do not exist.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Versions of programs in the worker root, taken from the specs that build them. */
export interface WorkerVersions {
  readonly perl: string;
  readonly python: string;
  readonly gcc: string;
  readonly rpm: string;
  readonly kernelHeaders: string;
}

export interface WorkerShellOptions {
  readonly versions: WorkerVersions;
  /** A JSON file of command to output. */
  readonly answers?: string | undefined;
  /** Where the answers of this process are written when it ends. */
  readonly record?: string | undefined;
  /** The directory in which commands run. */
  readonly directory: string;
}

const ABSENT = [
  ...['R', 'build-classpath', 'cmake', 'find-jar', 'gem', 'go', 'java', 'mysql_config', 'ocaml', 'php-config'],
  ...['pkg-config', 'python', 'python2', 'ruby', 'tclsh'],
];

/** The shell port; commands run once, their stand-ins live until the process ends. */
export function workerShell({ versions, answers, record, directory }: WorkerShellOptions): (command: string) => string {
  const known = new Map<string, string>(
    answers === undefined ? [] : Object.entries(JSON.parse(readFileSync(answers, 'utf8')) as Record<string, string>),
  );
  let programs: string | undefined;
  if (record !== undefined) {
    process.on('exit', () => writeFileSync(record, JSON.stringify(Object.fromEntries([...known].sort()))));
  }
  return (command) => {
    const answer = known.get(command);
    if (answer !== undefined) return answer;
    programs ??= writeStandIns(versions);
    const output = run(command, programs, directory);
    known.set(command, output);
    return output;
  };
}

function run(command: string, programs: string, directory: string): string {
  const env = { PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: '/root', LANG: 'C.UTF-8' };
  const names = Object.keys(STAND_INS).join('|');
  // There is no os-release in that root.
  const text = command
    .replaceAll('/etc/os-release', '/nonexistent/os-release')
    .replace(new RegExp(`(?:/usr)?/bin/(${names})\\b`, 'g'), '$1');
  const { stdout } = spawnSync('/bin/bash', ['--norc', '-c', text], {
    env,
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
  });
  return stdout ?? '';
}

function writeStandIns(versions: WorkerVersions): string {
  const directory = mkdtempSync(join(tmpdir(), 'kiln-worker-programs-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const write = (name: string, body: string): void => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/bash\n${body}`);
    chmodSync(path, 0o755);
  };
  for (const name of ABSENT) write(name, 'exit 127\n');
  for (const [name, body] of Object.entries(STAND_INS)) write(name, body(versions));
  return directory;
}

const STAND_INS: Readonly<Record<string, (versions: WorkerVersions) => string>> = {
  perl: ({ perl }) => {
    const [major, minor = '0', micro = '0'] = perl.split('.');
    const number = `${major}.${minor.padStart(3, '0')}${micro.padStart(3, '0')}`;
    return `case "$*" in
  -V:version) echo "version='${perl}';"; exit;;
  -V:installvendorarch) echo "installvendorarch='/usr/lib/perl5/vendor_perl';"; exit;;
  -V:installvendorlib) echo "installvendorlib='/usr/share/perl5/vendor_perl';"; exit;;
  -V:installarchlib) echo "installarchlib='/usr/lib/perl5';"; exit;;
  -V:installprivlib) echo "installprivlib='/usr/share/perl5';"; exit;;
  *Config*version*) echo -n ${perl}; exit;;
  -V:*) exit;;
esac
args=(); for a in "$@"; do args+=("\${a//\\$\\]/${number}}"); done
exec /usr/bin/perl "\${args[@]}"
`;
  },
  python3: ({ python }) => {
    const [major, minor] = python.split('.');
    return `case "$*" in
  *byteorder*) echo 1;;
  *safe_path*) echo P;;
  *get_platform*) echo linux-x86_64;;
  *"{0.major}.{0.minor}.{0.micro}"*) echo -n ${python};;
  *"{0.major}.{0.minor}"*) echo -n ${major}.${minor};;
  *"{0.major}{0.minor}"*) echo -n ${major}${minor};;
  *getsitepackages*|*platlib*|*purelib*|*get_python_lib*) echo /usr/lib/python${major}.${minor}/site-packages;;
  *) exit 1;;
esac
`;
  },
  gcc: ({ gcc }) => `case "$*" in
  --version) echo "gcc (GCC) ${gcc}";;
  --print-file-name=plugin) echo /usr/lib/gcc/x86_64-pc-linux-gnu/${gcc}/plugin;;
  -dumpversion) echo ${gcc.split('.')[0]};;
  *) exit 1;;
esac
`,
  rpm: ({ rpm, kernelHeaders }) => `case "$*" in
  --version) echo "RPM version ${rpm}";;
  *RPMTAG_VERSION*kernel-headers*) echo -n ${kernelHeaders};;
  *kernel-headers*) echo kernel-headers-${kernelHeaders}.noarch;;
  *) for a in "$@"; do last=$a; done; echo "package $last is not installed"; exit 1;;
esac
`,
  getconf: () => 'echo 4\n',
  hostname: () => 'echo builder\n',
  uname: ({ kernelHeaders }) =>
    `case "$1" in -r) echo ${kernelHeaders};; -m) echo x86_64;; -s|'') echo Linux;; *) echo Linux builder ${kernelHeaders} x86_64;; esac\n`,
  mktemp: () => `for last; do :; done
case "$last" in *XXXXXX) echo "\${last%XXXXXX}abcdef";; *) echo /tmp/tmp.abcdef;; esac
`,
  date: () => `args=(-d @1767225600)
for ((i = 1; i <= $#; i++)); do
  if [ "\${!i}" = -d ]; then j=$((i + 1)); args+=(-d "2026-01-01 00:00 UTC \${!j}"); i=$j; else args+=("\${!i}"); fi
done
TZ=UTC exec /usr/bin/date "\${args[@]}"
`,
};
