export { examine, fixText, planRepairs, type Finding, type Repairs } from './examination.ts';
export { describeFailure } from './failure.ts';
export { withInterrupts } from './interrupts.ts';
export { prepareMachine, type MachineOptions } from './machine.ts';
export { main } from './main.ts';
export { rememberedDurations, type RememberedDurations } from './remembered-durations.ts';
export { createReporter, type ReportedTask, type Reporter, type ReporterOptions } from './reporter.ts';
export { processTerminal, type Terminal } from './terminal.ts';
