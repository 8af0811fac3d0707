/** Lua, made when the first script wants to run: that takes longer than evaluating a spec, and most need none. */
import type { LuaPort } from '@kiln/rpm-macro';
import { createLuaPort } from '@kiln/rpm-macro/lua';

/** Stands for Lua in a trial and notes whether it was wanted. */
class AbsentLua implements LuaPort {
  wanted = false;
  reset(): void {}
  setSpecLists(): void {}
  run(): string {
    return this.#want();
  }
  callFunction(): string {
    return this.#want();
  }
  check(): string {
    return this.#want();
  }
  #want(): never {
    this.wanted = true;
    throw new Error('Lua is not there yet');
  }
}

export class LuaOnDemand {
  #lua: LuaPort | undefined;

  /** The result of `evaluate`; that of a trial without Lua, also an error, counts only if nothing wanted it. */
  async use<T>(evaluate: (lua: LuaPort) => T): Promise<T> {
    if (this.#lua === undefined) {
      const absent = new AbsentLua();
      try {
        const result = evaluate(absent);
        if (!absent.wanted) return result;
      } catch (error) {
        if (!absent.wanted) throw error;
      }
      this.#lua = await createLuaPort();
    }
    return evaluate(this.#lua);
  }
}
