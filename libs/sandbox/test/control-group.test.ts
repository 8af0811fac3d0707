import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findGroupPlace, makeGroup, type GroupFacts } from '../src/control-group.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './tiny-root.ts';

afterAll(removeTemporaryDirectories);

/** Directories with the files that the kernel would show, and their contents. */
function fakeTree(files: Readonly<Record<string, string>>): string {
  const top = temporaryDirectory('groups');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(top, path, '..'), { recursive: true });
    writeFileSync(join(top, path), text);
  }
  return top;
}

const second = (top: string, root = '/') =>
  `30 24 0:26 ${root} ${top} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`;
const first = (top: string, controller: string) =>
  `31 24 0:27 / ${join(top, controller)} rw - cgroup cgroup rw,${controller}\n`;

test('version 2: the nearest group above ours that passes memory and pids on', () => {
  const top = fakeTree({
    'cgroup.controllers': 'cpuset cpu io memory pids\n',
    'cgroup.subtree_control': 'memory pids\n',
    'user.slice/cgroup.subtree_control': 'cpu memory pids\n',
    'user.slice/session.scope/cgroup.subtree_control': '\n',
  });
  const facts: GroupFacts = { mountInfo: second(top), membership: '0::/user.slice/session.scope\n' };
  expect(findGroupPlace(facts)).toEqual({ place: { version: 2, parents: [join(top, 'user.slice')] } });
});

test('version 2: a container, whose own group is the top and has processes', () => {
  const top = fakeTree({ 'cgroup.controllers': 'memory pids\n', 'cgroup.subtree_control': '\n' });
  const facts: GroupFacts = { mountInfo: second(top, '/docker/abc'), membership: '0::/\n' };
  expect(findGroupPlace(facts)).toEqual({
    reason: "version 2: no group above ours passes memory and pids on; version 1: has no controller 'memory'",
  });
});

test('version 1 when version 2 has no controllers', () => {
  const top = fakeTree({ 'unified/cgroup.controllers': '\n', 'memory/a/x': '', 'pids/x': '' });
  const facts: GroupFacts = {
    mountInfo: first(top, 'memory') + first(top, 'pids') + second(join(top, 'unified')),
    membership: '4:memory:/a\n3:pids:/\n0::/\n',
  };
  expect(findGroupPlace(facts)).toEqual({
    place: { version: 1, parents: [join(top, 'memory/a'), join(top, 'pids')] },
  });
});

test('neither: both reasons', () => {
  const facts: GroupFacts = { mountInfo: first('/nowhere', 'memory') + first('/nowhere', 'pids'), membership: '' };
  expect(findGroupPlace(facts)).toEqual({
    reason: 'version 2: is not mounted; version 1: /nowhere/memory is not ours to change (ENOENT)',
  });
});

test('version 2: limits are written, events and use are read', () => {
  const top = temporaryDirectory('group');
  const group = makeGroup({ version: 2, parents: [top] }, { memoryBytes: 1000, processes: 10 });
  const [directory] = group.directories as [string];
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  expect([read('memory.max'), read('memory.oom.group'), read('pids.max')]).toEqual(['1000', '1', '18']);
  expect(group.breach()).toBeUndefined();
  writeFileSync(join(directory, 'memory.stat'), 'anon 300\nfile 5000\nshmem 40\nanon_thp 7\n');
  expect(group.memoryBytes()).toBe(340);
  writeFileSync(join(directory, 'pids.events'), 'max 1\n');
  expect(group.breach()).toBe('processes');
  writeFileSync(join(directory, 'memory.events'), 'low 0\noom 1\noom_kill 2\noom_group_kill 1\n');
  expect(group.breach()).toBe('memoryBytes');
});
