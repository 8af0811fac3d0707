/** Typed events: what the stages do, for reporters and for the event log. Libraries emit; only the plugin and the CLI print. */

/** A stage's unit of work that the store can answer. `outcome: 'built'` means that its process really ran. */
export interface ActionEvent {
  readonly type: 'action';
  /** `toolchain`, `rpm`, `repository`, `image`, `boot-test`, ... */
  readonly action: string;
  /** What it is done for: a project id. */
  readonly subject: string;
  readonly key: string;
  readonly outcome: 'built' | 'cached' | 'failed';
  readonly seconds: number;
  /** Code and first line of what made it fail. */
  readonly error?: string;
  /** Path of the log, when a process ran. */
  readonly log?: string;
}

/** A step inside an action has begun or goes on: shown to a person, not kept. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly action: string;
  readonly subject: string;
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: 'bytes' | 'files' | 'packages' | 'steps';
}

/** Something a person should know that does not stop the work. */
export interface NoticeEvent {
  readonly type: 'notice';
  readonly severity: 'info' | 'warning';
  readonly code: string;
  readonly message: string;
}

/** What the processes of one run of a program used. */
export interface ResourceUsage {
  readonly cpuSeconds: number;
  /** Largest sum of their memory at one time. */
  readonly peakMemoryBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** A program has ended. Its events add up to what the task took in whose course it ran. */
export interface UsageEvent {
  readonly type: 'usage';
  readonly usage: ResourceUsage;
}

export type KilnEvent = ActionEvent | ProgressEvent | NoticeEvent | UsageEvent;

export type EventSink = (event: KilnEvent) => void;
