import type { LuaPort } from '@kiln/rpm-macro';
import { expect, test, vi } from 'vitest';
import { LuaOnDemand } from '../src/lua-on-demand.ts';

test('what wants Lua is done again with it, also when the trial ended with an error', async () => {
  const evaluate = vi.fn((lua: LuaPort) => lua.check('print(1'));
  expect(await new LuaOnDemand().use(evaluate)).toMatch(/'\)' expected/);
  expect(evaluate).toHaveBeenCalledTimes(2);
});

test('what wants no Lua is done once, with its own result or error', async () => {
  const evaluate = vi.fn(() => 7);
  expect(await new LuaOnDemand().use(evaluate)).toBe(7);
  expect(evaluate).toHaveBeenCalledTimes(1);
  const failing = () => {
    throw new Error('its own');
  };
  await expect(new LuaOnDemand().use(failing)).rejects.toThrow('its own');
});
