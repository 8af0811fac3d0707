/** A repository in a few lines: `P: name evr origin`, then `+ provides`, `- requires`, `! conflicts`, `~ obsoletes`, `/ file`. */
import type { Provider } from '@kiln/package-graph';
import { parseDependency, parseEvr, type Dependency } from '@kiln/rpm-package';

export function repository(text: string): Provider[] {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const providers: Provider[] = [];
  let lists: Record<string, Dependency[]> = {};
  let files: string[] = [];
  for (const line of lines) {
    const [mark, ...rest] = line.split(' ');
    const body = rest.join(' ');
    if (mark === 'P:') {
      const [name, evr, origin] = rest as [string, string, string?];
      lists = { '+': [parseDependency(`${name} = ${evr}`)], '-': [], '!': [], '~': [] };
      files = [];
      const relations = {
        provides: lists['+']!,
        requires: lists['-']!,
        conflicts: lists['!']!,
        obsoletes: lists['~']!,
      };
      providers.push({ name, evr: parseEvr(evr), arch: 'x86_64', origin: origin ?? name, files, ...relations });
    } else if (mark === '/') files.push(`/${body}`);
    else if (line !== '') lists[mark!]!.push(parseDependency(body));
  }
  return providers;
}
