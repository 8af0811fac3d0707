/** The outermost script of a run: joins control groups, waits for everything and writes down what it took. */

/** Where the output of a run goes: to two pipes, to one that keeps the order of its lines, or to a terminal as it is. */
export type OutputMode = 'separate' | 'together' | 'terminal';

/**
 * Arguments: an `OutputMode`, a file for the times or `-`, directories of control groups, `--`, command. It stays as it is outside of all namespaces: it
 * waits for `unshare --fork`, which waits for the first process of a pid namespace, which ends after all others in there.
 * Our own output may be sockets, which nobody can open again by /dev/stdout; the pipes in front of them can be.
 */
export const ENTER_SCRIPT = `
set -u
mode=$1 record=$2
shift 2
# When memory runs out on the machine, the kernel ends builds before anything else. Where root says so, nobody inside can take it back.
echo 1000 > /proc/self/oom_score_adj
while [ "$1" != -- ]; do
  echo $$ > "$1/cgroup.procs" || exit 125
  shift
done
shift
case $mode in
  separate) "$@" > >(exec cat) 2> >(exec cat >&2) ;;
  together) "$@" > >(exec cat) 2>&1 ;;
  *) "$@" ;;
esac
status=$?
if [ "$record" != - ]; then times > "$record"; fi
exit "$status"
`;

/** Ends a process together with the one that started it, also when that one is killed. */
export const WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL', '--'] as const;

/** Seconds of the script's children from the output of bash’s `times`; undefined when it was not written. */
export function readTimes(text: string): number | undefined {
  const children = text.split('\n')[1];
  if (children === undefined || children === '') return undefined;
  let seconds = 0;
  for (const [, minutes, rest] of children.matchAll(/(\d+)m([\d.]+)s/g)) seconds += Number(minutes) * 60 + Number(rest);
  return seconds;
}
