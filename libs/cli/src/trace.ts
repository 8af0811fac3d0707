/** A run as a trace that viewers open: the JSON of the Trace Event Format, complete events in lanes. Pure. */
import type { LoggedEvent } from '@kiln/distribution';

/** Times are microseconds from the beginning of the run. */
export interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  /** `X`: a span; `M`: a name for a lane. */
  readonly ph: 'X' | 'M';
  readonly pid: 1;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

interface Span {
  readonly event: LoggedEvent;
  /** Milliseconds since the epoch: it began to wait, was let begin, ended. */
  readonly asked: number;
  readonly started: number;
  readonly ended: number;
}

/** Each task is a span in a lane of its own at that time, after a span for the time that it waited. Blocked tasks took no time. */
export function traceOf(events: readonly LoggedEvent[]): { readonly traceEvents: readonly TraceEvent[] } {
  const spans = events
    .filter(({ outcome }) => outcome !== 'blocked')
    .map(spanOf)
    .sort((a, b) => a.asked - b.asked);
  const begin = Math.min(...spans.map(({ asked }) => asked));
  const lanes: number[] = [];
  const traceEvents = spans.flatMap((span) => {
    const free = lanes.findIndex((until) => until <= span.asked);
    const lane = free < 0 ? lanes.length : free;
    lanes[lane] = span.ended;
    return eventsOf(span, lane + 1, begin);
  });
  const names = lanes.map((_, at): TraceEvent => {
    const args = { name: `lane ${at + 1}` };
    return { name: 'thread_name', cat: '__metadata', ph: 'M', pid: 1, tid: at + 1, ts: 0, args };
  });
  return { traceEvents: [...names, ...traceEvents] };
}

function spanOf(event: LoggedEvent): Span {
  const ended = Date.parse(event.time);
  const started = ended - event.seconds * 1000;
  return { event, ended, started, asked: started - (event.waitedSeconds ?? 0) * 1000 };
}

/** Shorter waiting is the cost of asking and not worth a span. */
const WORTH_SHOWING = 100;

function eventsOf({ event, asked, started, ended }: Span, lane: number, begin: number): TraceEvent[] {
  const { action, subject, outcome, key, log, usage } = event;
  const name = `${action} ${subject}`;
  const microseconds = (time: number) => Math.round((time - begin) * 1000);
  const span = (what: string, from: number, to: number, args: TraceEvent['args']): TraceEvent => ({
    ...{ name, cat: what, ph: 'X', pid: 1, tid: lane, args },
    // Both ends are rounded, so that spans of a lane that touch do not overlap.
    ...{ ts: microseconds(from), dur: microseconds(to) - microseconds(from) },
  });
  const waiting = started - asked < WORTH_SHOWING ? [] : [span('waiting', asked, started, {})];
  const details = { outcome, key, ...(log === undefined ? {} : { log }), ...usage };
  return [...waiting, span(outcome, started, ended, details)];
}
