/**
 * Expands many texts with real rpm: its Lua interpreter `rpmlua` forks for each text, so that no text sees what another left.
 * (`rpm --eval '%{lua:…}'` can't: the table of macros is locked there and the lock does not survive the fork.)
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What became of one text. */
export interface MacroOutcome {
  /** The expansion; undefined when it failed. */
  readonly value: string | undefined;
  /** What the probe gave afterwards. */
  readonly probe: string | undefined;
  /** rpm ended without an answer: a crash or a limit. */
  readonly died?: boolean;
  readonly messages: readonly string[];
}

export interface RpmMacrosOptions {
  /** The `rpmlua` of the rpm to ask. */
  readonly rpmlua: string;
  readonly macroFile: string;
  readonly probe: string;
}

/** The loop in rpm's own Lua: `posix.fork` keeps texts apart. */
const DRIVER = String.raw`
local directory = "."
local input = io.open(directory .. "/texts", "rb")
local data = input:read("a")
input:close()
local function read(name)
  local file = io.open(directory .. "/" .. name, "rb")
  local content = file:read("a")
  file:close()
  return content
end
local probe = read("probe")
-- What the machine's own macro files define under the same names must not show when a text undefines one.
for name in read("macros"):gmatch("%f[^\n\0]%%([%w_]+)") do
  while rpm.isdefined(name) do rpm.undefine(name) end
end
rpm.load(directory .. "/macros")
local at, index = 1, 0
local function expand(text)
  local done, result = pcall(rpm.expand, text)
  return (done and "+" or "-") .. #result .. "\n" .. result .. "\n"
end
while at <= #data do
  local stop = data:find("\n", at, true)
  local length = tonumber(data:sub(at, stop - 1))
  local text = data:sub(stop + 1, stop + length)
  at = stop + length + 1
  io.stderr:write("\2" .. index .. "\n")
  local child = posix.fork()
  if child == 0 then
    local first = expand(text)
    io.stderr:write("\3\n")
    local answer = io.open(directory .. "/answers", "ab")
    answer:write(index .. "\n" .. first .. expand(probe))
    answer:close()
    os.exit(0)
  end
  posix.wait(child)
  index = index + 1
end
`;

/** The outcome of each text, in order. */
export function expandWithRpm(
  texts: readonly string[],
  { rpmlua, macroFile, probe }: RpmMacrosOptions,
): MacroOutcome[] {
  const directory = mkdtempSync(join(tmpdir(), 'kiln-fuzz-'));
  try {
    const encoded = texts.map((text) => Buffer.from(text, 'utf8'));
    writeFileSync(
      join(directory, 'texts'),
      Buffer.concat(encoded.flatMap((text) => [Buffer.from(`${text.length}\n`), text])),
    );
    writeFileSync(join(directory, 'probe'), probe);
    writeFileSync(join(directory, 'macros'), macroFile);
    writeFileSync(join(directory, 'answers'), '');
    writeFileSync(join(directory, 'driver.lua'), DRIVER);
    // Each child has 20 s of CPU and 2 GB.
    const command = 'ulimit -t 20 -v 2000000; exec "$0" "$@"';
    const { stderr, error } = spawnSync('bash', ['-c', command, rpmlua, join(directory, 'driver.lua')], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
      maxBuffer: 1 << 30,
      timeout: 600_000,
    });
    if (error !== undefined) throw error;
    return readAnswers(readFileSync(join(directory, 'answers')), stderr.toString('utf8'), texts.length);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readAnswers(bytes: Buffer, log: string, count: number): MacroOutcome[] {
  const messages = log
    .split('\x02')
    .slice(1)
    .map((part) => part.split('\x03')[0]!.split('\n').slice(1).filter(Boolean));
  const outcomes = Array.from({ length: count }, (_, index): MacroOutcome => ({
    value: undefined,
    probe: undefined,
    died: true,
    messages: messages[index] ?? [],
  }));
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    const text = bytes.toString('latin1', at, end);
    at = end + 1;
    return text;
  };
  const text = (): string | undefined => {
    const head = line();
    const length = Number(head.slice(1));
    const value = bytes.toString('utf8', at, at + length);
    at += length + 1;
    return head.startsWith('+') ? value : undefined;
  };
  while (at < bytes.length) {
    const index = Number(line());
    const value = text();
    outcomes[index] = { value, probe: text(), messages: messages[index] ?? [] };
  }
  return outcomes;
}

/** Whether two sides give the same value and leave the same definitions. */
export function outcomesAgree(a: MacroOutcome, b: MacroOutcome): boolean {
  return plain(a.value) === plain(b.value) && plain(a.probe) === plain(b.probe);
}

/** Without the addresses by which Lua shows functions and tables. */
function plain(value: string | undefined): string | undefined {
  return value?.replace(/\b(function|table|userdata): (builtin: )?(0x)?[0-9a-f]+/g, '$1');
}
