import { describe, expect, test } from 'vitest';
import { createFakeHost, type Requirement } from '@kiln/host';
import { examine, fixText, planRepairs } from '../src/examination.ts';
import { repair, repairCommands } from '../src/repair.ts';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const present: Requirement = {
  name: 'tar',
  why: 'unpacks',
  probe: () => Promise.resolve({ ok: true, found: '1.34', message: '' }),
};
const missing: Requirement = {
  name: 'bwrap',
  why: 'sandboxes',
  minimalVersion: '0.8',
  probe: () =>
    Promise.resolve({ ok: false, found: '', message: 'not installed', fix: { kind: 'apt', packages: ['bubblewrap'] } }),
};
const user: Requirement = {
  name: 'user kiln',
  why: 'builds',
  probe: () =>
    Promise.resolve({ ok: false, found: '', message: 'no user', fix: { kind: 'command', argv: ['useradd', 'kiln'] } }),
};
const kernel: Requirement = {
  name: 'overlayfs',
  why: 'roots',
  probe: () =>
    Promise.resolve({
      ok: false,
      found: '',
      message: 'no overlay',
      fix: { kind: 'manual', text: 'use a later kernel' },
    }),
};

describe('planRepairs', () => {
  test('asks for nothing when all is there', async () => {
    const findings = await examine(createFakeHost(), [present, present]);
    expect(findings).toHaveLength(1);
    expect(planRepairs(findings, true)).toEqual({ aptPackages: [], commands: [], manual: [] });
  });

  test('puts apt before commands and leaves the rest to a person', async () => {
    const repairs = planRepairs(await examine(createFakeHost(), [kernel, user, missing, present]), true);
    expect(repairs.manual).toEqual(['overlayfs: use a later kernel']);
    expect(repairCommands(repairs)).toEqual([
      ['apt-get', 'update'],
      ['apt-get', 'install', '--yes', '--no-install-recommends', 'bubblewrap'],
      ['useradd', 'kiln'],
    ]);
  });

  test('without apt says what is missing and what Debian calls it', async () => {
    const findings = await examine(createFakeHost(), [missing]);
    const repairs = planRepairs(findings, false);
    expect(repairCommands(repairs)).toEqual([]);
    expect(repairs.manual).toEqual([
      'bwrap 0.8 or later: install the package that has it (Debian calls it bubblewrap)',
    ]);
    expect(fixText(findings[0]!, false)).toBe(repairs.manual[0]);
  });
});

describe('repair', () => {
  const root = () => mkdtempSync(join(tmpdir(), 'kiln-repair-'));

  test("says each command and fails with apt's first error", async () => {
    const said: string[] = [];
    const host = createFakeHost(({ argv }) =>
      argv.includes('install') ? { status: 100, stderr: 'W: careful\nE: no such package\nW: really\n' } : {},
    );
    const repairs = { aptPackages: ['bubblewrap'], commands: [], manual: [] };
    await expect(repair(host, repairs, { root: root(), say: (line) => said.push(line) })).rejects.toMatchObject({
      code: 'REPAIR_FAILED',
      message: expect.stringContaining('E: no such package') as string,
      command: 'apt-get install --yes --no-install-recommends bubblewrap',
    });
    expect(said[0]).toMatch(/^running: .*apt-get update$/);
  });
});
