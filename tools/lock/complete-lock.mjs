/**
 * Completes `package-lock.json`: a registry that lacks builds of an optional package for other platforms leaves them out of the lock, and
 * `npm ci` then refuses it everywhere. Adds them by name and platform; they are never fetched on the platforms that Kiln runs on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const PLATFORM =
  /-(darwin|linux|win32|freebsd|android|openharmony)-(arm64|x64|arm|ia32|ppc64|riscv64|s390x)(?:-(musl|gnu|\w+))?$/;

/** Entries that `lock` should have: path below the workspace → entry. */
export function missingPlatforms(lock) {
  const missing = {};
  for (const { version, optionalDependencies = {} } of Object.values(lock.packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      const path = `node_modules/${name}`;
      const [, os, cpu, libc] = PLATFORM.exec(name) ?? [];
      if (os === undefined || Object.keys(lock.packages).some((one) => one.endsWith(path))) continue;
      missing[path] = {
        version: optionalDependencies[name].replace(/^[^\d]*/, '') || version,
        cpu: [cpu],
        ...(libc === 'musl' ? { libc: [libc] } : {}),
        license: 'MIT',
        optional: true,
        os: [os],
      };
    }
  }
  return missing;
}

if (process.argv[1] === import.meta.filename) {
  const file = resolve(import.meta.dirname, '../../package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const { '': root, ...others } = { ...lock.packages, ...missingPlatforms(lock) };
  const sorted = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
  const packages = { '': root, ...Object.fromEntries(sorted) };
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, undefined, 2)}\n`);
}
