/** Ctrl-C and its relatives: the first asks for an orderly end, the second ends at once. */

/** One key press may arrive twice, from the terminal and from the program that started us. */
const SAME_PRESS = 1000;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs `work` with a signal that aborts on the first interrupt, and when the process that started us has gone. */
export async function withInterrupts<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    first ??= performance.now();
    if (performance.now() - first > SAME_PRESS) process.exit(name === 'SIGINT' ? 130 : 143);
    controller.abort();
  };
  const onDisconnect = () => controller.abort();
  for (const name of SIGNALS) process.on(name, onSignal);
  process.on('disconnect', onDisconnect);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
    process.off('disconnect', onDisconnect);
  }
}
