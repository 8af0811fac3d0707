/** Graphs of tasks that sleep, and what no schedule of them can beat. */

export interface SleepingTask {
  readonly name: string;
  readonly before: readonly string[];
  readonly seconds: number;
  readonly memoryBytes: number;
}

export interface Machine {
  readonly workers: number;
  readonly memoryBytes: number;
}

/**
 * How many source packages of Azure Linux 3 can be built first, then after those, and so on (1,538 of SPECS, toolchain prebuilt): wide at
 * the beginning, with a long thin tail.
 */
const AZURE_LINUX_LAYERS = [530, 176, 167, 83, 70, 65, 60, 55, 50, 45, 42, 38, 34, 30, 27, 22, 18, 13, 8, 5];

export interface GraphOptions {
  readonly tasks: number;
  /** Mean of the tasks' times. */
  readonly seconds: number;
  readonly seed: number;
}

/** Each task needs up to three of those before it, mostly near ones: chains of many lengths. */
export function randomGraph({ tasks, seconds, seed }: GraphOptions): SleepingTask[] {
  const random = randomNumbers(seed);
  const made: SleepingTask[] = [];
  for (let at = 0; at < tasks; at += 1) {
    const count = at < tasks / 6 ? 0 : Math.floor(random() * 4);
    const near = () => made[Math.floor(at * (1 - random() ** 2 * 0.6) * 0.999)]!.name;
    const before = at === 0 ? [] : [...new Set(Array.from({ length: count }, near))];
    made.push({ name: `t${String(at).padStart(3, '0')}`, before, ...sizes(random) });
  }
  return scaled(made, seconds);
}

/** The layers of Azure Linux 3 with fewer tasks: each needs one of the layer before and some of any earlier one. */
export function azureLinuxGraph({ tasks, seconds, seed }: GraphOptions): SleepingTask[] {
  const random = randomNumbers(seed);
  const all = AZURE_LINUX_LAYERS.reduce((sum, width) => sum + width, 0);
  const made: SleepingTask[] = [];
  let layer: string[] = [];
  for (const width of AZURE_LINUX_LAYERS) {
    const next: string[] = [];
    for (let at = 0; at < Math.max(1, Math.round((width * tasks) / all)); at += 1) {
      const any = () => made[Math.floor(random() * made.length)]!.name;
      const needed = layer.length === 0 ? [] : [layer[Math.floor(random() * layer.length)]!, any(), any()];
      const name = `t${String(made.length).padStart(3, '0')}`;
      next.push(name);
      made.push({ name, before: [...new Set(needed)], ...sizes(random) });
    }
    layer = next;
  }
  return scaled(made, seconds);
}

/** The longest chain, the work of all workers, the memory of all tasks over time: seconds that every schedule takes. */
export function lowerBound(tasks: readonly SleepingTask[], { workers, memoryBytes }: Machine): number {
  const ends = new Map<string, number>();
  for (const { name, before, seconds } of tasks)
    ends.set(name, seconds + Math.max(0, ...before.map((one) => ends.get(one)!)));
  const work = tasks.reduce((sum, { seconds }) => sum + seconds, 0);
  const memory = tasks.reduce((sum, one) => sum + one.seconds * one.memoryBytes, 0);
  return Math.max(...ends.values(), work / workers, memory / memoryBytes);
}

/** Times as of builds: most short, a few very long (log-normal); memory of one to eight units, mostly little. */
function sizes(random: () => number) {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return { seconds: Math.min(12, Math.exp(0.8 * normal)), memoryBytes: 1 + Math.floor(8 * random() ** 2) };
}

function scaled(tasks: readonly SleepingTask[], mean: number): SleepingTask[] {
  const factor = (mean * tasks.length) / tasks.reduce((sum, { seconds }) => sum + seconds, 0);
  return tasks.map((task) => ({ ...task, seconds: Math.max(0.05, task.seconds * factor) }));
}

/** Numbers from 0 to 1, the same for each seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
