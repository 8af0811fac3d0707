/**
 * Command: schedules of sleeping tasks in real runs of Nx against what no schedule can beat; see schedule-bench.ts,
 * schedule-bound.ts. `npx tsx tools/bench/schedule.ts [--json] [--tasks 60] [--seconds 1.5] [--seeds 2] [--workers 2]… [--order kiln]…`.
 * Ends with status 1 when a schedule with history takes more than 5 % longer than its bound.
 */
import { parseArgs } from 'node:util';
import { SleepingWorkspace, type Order, type ScheduleMeasure } from './schedule-bench.ts';
import { azureLinuxGraph, randomGraph } from './schedule-graphs.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    tasks: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '1.5' },
    seeds: { type: 'string', default: '2' },
    workers: { type: 'string', multiple: true, default: ['2', '4', '8'] },
    order: { type: 'string', multiple: true, default: ['nx', 'fifo', 'kiln', 'kiln+history'] },
  },
});

const PLENTY = 1_000_000;
/** Units of memory for each worker where it is scarce; a task needs one to eight. */
const SCARCE_PER_WORKER = 4;
const ALLOWED = 1.05;

async function main(): Promise<void> {
  const sizes = { tasks: Number(values.tasks), seconds: Number(values.seconds) };
  const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1);
  const graphs = [
    ...seeds.map((seed) => [`random ${seed}`, randomGraph({ ...sizes, seed })] as const),
    ['Azure Linux', azureLinuxGraph({ ...sizes, seed: 1 })] as const,
  ];
  const measures: ScheduleMeasure[] = [];
  for (const [name, tasks] of graphs) {
    const workspace = new SleepingWorkspace(name, tasks);
    const measure = async (order: Order, workers: number, memoryBytes: number) => {
      const one = await workspace.measure(order, { workers, memoryBytes });
      measures.push(one);
      if (!values.json) console.log(lineOf(one));
    };
    // The first run with history is the one that makes it.
    if (values.order.includes('kiln+history'))
      await workspace.measure('kiln+history', { workers: 16, memoryBytes: PLENTY });
    for (const workers of values.workers.map(Number)) {
      for (const order of values.order as Order[]) await measure(order, workers, PLENTY);
      if (values.order.includes('fifo')) await measure('fifo', workers, workers * SCARCE_PER_WORKER);
      await measure('kiln+history', workers, workers * SCARCE_PER_WORKER);
    }
    workspace.remove();
  }
  if (values.json) console.log(JSON.stringify(measures));
  const late = measures.filter(({ order, seconds, bound }) => order === 'kiln+history' && seconds > bound * ALLOWED);
  if (late.length > 0) process.exitCode = 1;
}

function lineOf({ graph, order, workers, memoryBytes, seconds, bound, overhead }: ScheduleMeasure): string {
  const memory = memoryBytes === PLENTY ? '' : ', scarce memory';
  const over = ((seconds / bound - 1) * 100).toFixed(1);
  return `${graph}, ${workers} workers${memory}, ${order}: ${seconds.toFixed(1)} s, bound ${bound.toFixed(1)} s, +${over} %; command +${overhead.toFixed(1)} s`;
}

void main();
