export { SourceText, type SourceLocation } from './source-text.ts';
export { formatDiagnostic, formatLocation, type Diagnostic, type Severity } from './diagnostic.ts';
export { printable } from './printable.ts';
export { codeFrame } from './code-frame.ts';
export { BuildError, type BuildErrorOptions } from './build-error.ts';
export { nearestAmong, nearestWord } from './suggest.ts';
