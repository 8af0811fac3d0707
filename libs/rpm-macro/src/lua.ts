/** The Lua of rpm (rpmio/rpmlua.c): Lua 5.4 in WebAssembly, with rpm's library over the macro context that runs the script. */
import { parseEvr } from '@kiln/rpm-package';
import { LuaFactory } from 'wasmoon';
import { getopt } from './getopt.ts';
import { LUA_LIBRARY } from './lua-library.ts';
import type { LuaCall, LuaHost, LuaPort, SpecLists } from './ports.ts';
import { joinQuoted, splitQuoted } from './quoted-words.ts';
import { compareVersions } from './version-order.ts';

/** rpm has no such limits; they turn scripts that grow without end into an error. In bytes, and in calls from Lua for one spec. */
const MAX_MEMORY = 256 * 1024 * 1024;
const MAX_REQUESTS = 200_000;

/** What the library in Lua calls; each function gives one plain value, undefined (nil) for a failure. */
type HostFunction = (...values: never[]) => string | number | boolean | readonly string[] | undefined;

/** Makes the interpreter; the only asynchronous step, done before any evaluation. */
export async function createLuaPort(): Promise<LuaPort> {
  const engine = await new LuaFactory().createEngine({
    injectObjects: false,
    enableProxy: false,
    traceAllocations: true,
  });
  engine.global.setMemoryMax(MAX_MEMORY);
  let host: LuaHost | undefined;
  let requests = 0;
  const functions = hostFunctions(() => {
    if (host === undefined) throw new Error('no macro context');
    requests += 1;
    if (requests > MAX_REQUESTS) throw new Error('the scripts of this spec ask for too much');
    return host;
  });
  for (const [name, run] of Object.entries(functions)) engine.global.set(`__host_${name}`, run);
  engine.doStringSync(LUA_LIBRARY);
  const library = engine.global.get('__library') as LuaLibrary;

  /** Runs with the given host; scripts nest, through macros. */
  function withHost<T>(current: LuaHost, action: () => T): T {
    const outer = host;
    host = current;
    try {
      return action();
    } finally {
      host = outer;
    }
  }

  // Most specs run no script: the state is touched only when one runs.
  let used = false;
  let pending: (() => SpecLists) | undefined;
  function prepare(): void {
    used = true;
    if (pending !== undefined) setSpecLists(library, pending());
    pending = undefined;
  }

  return {
    reset: () => {
      if (used) library.reset();
      used = false;
      requests = 0;
      pending = undefined;
    },
    run: (script, call, current) => {
      prepare();
      return withHost(current, () => runScript(library, script, call));
    },
    callFunction: (name, values, current) => {
      prepare();
      return withHost(current, () => checked(library.call(name, [...values])));
    },
    check: (script) => library.check(script) ?? undefined,
    setSpecLists: (lists) => {
      pending = lists;
    },
  };
}

/** The functions of lua-library.ts that are called from here; a result has a text or a message. */
interface LuaLibrary {
  reset(): void;
  run(script: string, name: string, options: Record<string, string>, words: readonly string[]): LuaResult;
  call(name: string, values: readonly (string | number)[]): LuaResult;
  check(script: string): string | null;
  lists(sources: string[], sourceNumbers: number[], patches: string[], patchNumbers: number[]): void;
}
interface LuaResult {
  readonly text?: string;
  readonly message?: string;
}

function runScript(library: LuaLibrary, script: string, call: LuaCall): string {
  const words = (call.words ?? []).slice(1);
  if (call.options === undefined) return checked(library.run(script, call.name ?? '<lua>', {}, []));
  const parsed = getopt(words, call.options);
  if (parsed.unknown !== undefined) {
    throw new Error(`unknown option ${parsed.unknown} in ${call.name}(${call.options})`);
  }
  const options = Object.fromEntries(parsed.options.map(({ letter, argument }) => [letter, argument ?? '']));
  return checked(library.run(script, call.name ?? '<lua>', options, parsed.operands));
}

function checked(result: LuaResult): string {
  if (result.message !== undefined) throw new Error(result.message);
  return result.text ?? '';
}

function setSpecLists(library: LuaLibrary, { sources, patches }: SpecLists): void {
  library.lists(
    sources.map(({ path }) => path),
    sources.map(({ number }) => number),
    patches.map(({ path }) => path),
    patches.map(({ number }) => number),
  );
}

function hostFunctions(host: () => LuaHost): Record<string, HostFunction> {
  return {
    expand: (text: string) => host().expand(text),
    define: (text: string) => host().define(text),
    undefine: (name: string) => (host().undefine(name), true),
    isdefined: (name: string) => host().isDefined(name),
    isparametric: (name: string) => host().isParametric(name),
    call: (name: string, words: readonly string[]) => host().call(name, listOf(words)),
    load: (path: string) => host().load(path),
    readfile: (path: string) => host().readFile(path),
    exists: (path: string) => host().exists(path),
    getenv: (name: string) => host().environment(name),
    shell: (command: string) => host().shell(command),
    vercmp: (a: string, b: string) => (a === '' || b === '' ? undefined : compareVersions(parseEvr(a), parseEvr(b))),
    splitargs: (text: string) => splitQuoted(text),
    unsplitargs: (words: readonly string[]) => joinQuoted(listOf(words)),
    encode: (text: string) => encodeBase64(text),
    decode: (text: string) => decodeBase64(text),
  };
}

/** A Lua list arrives as an array, an empty one as an empty object. */
function listOf(words: readonly string[]): string[] {
  return Object.values(words).map(String);
}

/** Lines of 64 characters, each with a newline (rpmBase64Encode, rpmio/base64.c). */
function encodeBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replace(/(.{64}|.+$)/g, '$1\n');
}

function decodeBase64(text: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.replace(/\s+/g, '')), (c) => c.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return undefined;
  }
}
