export const layers: Readonly<Record<string, readonly string[]>>;
export const pureLibraries: readonly string[];
export const subpathEntries: readonly string[];
export function packageName(library: string): string;
