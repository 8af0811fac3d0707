/** One run of the resolution with given decisions. */
import { formatRichDependency, type Dependency, type RichDependency } from '@kiln/rpm-package';
import { rankProviders, type Choice, type ChoiceReason } from './choice.ts';
import type { ClosureOptions } from './closure.ts';
import { conflictKey, findConflicts, type Conflict } from './conflicts.ts';
import { compareProviders, compareText, type Provider } from './provider.ts';
import { isAboutPackages, type IndexedRequirement, type ProviderIndex } from './provider-index.ts';
import { holds, isFeasible } from './requirement.ts';

/** A requirement and who has it. */
class Demand {
  readonly requirement: IndexedRequirement;
  readonly requirers: Provider[] = [];
  isRoot = false;

  constructor(requirement: IndexedRequirement) {
    this.requirement = requirement;
  }
}

/** What a decision (or, at level 0, no decision) led to. */
interface Level {
  readonly taken: number;
  readonly alternatives: number;
  readonly issues: ('conflict' | 'lack')[];
}

/** A way to satisfy an open demand. */
interface Alternative {
  readonly reason: ChoiceReason;
  readonly title: string;
  readonly take: () => void;
}

export class ClosureAttempt {
  readonly members = new Set<Provider>();
  readonly lacks: Demand[] = [];
  readonly choices: Choice[] = [];
  readonly levels: Level[] = [{ taken: 0, alternatives: 1, issues: [] }];
  conflicts: readonly Conflict[] = [];
  readonly #index: ProviderIndex;
  readonly #options: ClosureOptions;
  readonly #decisions: readonly number[];
  readonly #demands = new Map<IndexedRequirement, Demand>();
  readonly #conditional: Demand[] = [];
  readonly #open = new Map<string, Demand>();
  readonly #queue: Demand[] = [];
  #hasConflicts = false;

  /** `decisions`: the alternative to take at each decision; the best one beyond its end. */
  constructor(index: ProviderIndex, options: ClosureOptions, decisions: readonly number[]) {
    this.#index = index;
    this.#options = options;
    this.#decisions = decisions;
  }

  run(roots: readonly Dependency[]): this {
    for (const root of roots) if (isAboutPackages(root)) this.#demand(this.#index.requirement(root), undefined);
    for (;;) {
      this.#propagate();
      this.#closeLevel();
      const next = this.#nextOpen();
      if (next === undefined) break;
      this.#decide(next);
    }
    for (const demand of this.#conditional) if (!holds(demand.requirement.formula, this.#among)) this.#lack(demand);
    return this;
  }

  readonly #all = (dependency: Dependency): readonly Provider[] => this.#index.whatProvides(dependency);

  readonly #among = (dependency: Dependency): readonly Provider[] =>
    this.#index.whatProvides(dependency).filter((one) => this.members.has(one));

  #demand(requirement: IndexedRequirement, by: Provider | undefined): void {
    let demand = this.#demands.get(requirement);
    if (demand === undefined) {
      demand = new Demand(requirement);
      this.#demands.set(requirement, demand);
      this.#queue.push(demand);
    }
    if (by === undefined) demand.isRoot = true;
    else if (demand.requirers.at(-1) !== by) demand.requirers.push(by);
  }

  /** A part of a rich dependency, wanted by whoever wants the whole. */
  #demandPart(formula: RichDependency, whole: Demand): void {
    const dependency = formula.kind === 'simple' ? formula.dependency : { name: formatRichDependency(formula) };
    if (!isAboutPackages(dependency)) return;
    const requirement = this.#index.requirement(dependency);
    if (whole.isRoot) this.#demand(requirement, undefined);
    const known = new Set(this.#demands.get(requirement)?.requirers);
    for (const by of whole.requirers) if (!known.has(by)) this.#demand(requirement, by);
  }

  /** Everything that follows without a decision. */
  #propagate(): void {
    do {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#settle(next);
      for (const demand of this.#conditional) this.#followCondition(demand);
    } while (this.#queue.length > 0 || this.#followAbsence());
  }

  #settle(demand: Demand): void {
    const { formula } = demand.requirement;
    if (formula.kind === 'and') {
      for (const operand of formula.operands) this.#demandPart(operand, demand);
    } else if (formula.kind === 'group') {
      this.#demandPart(formula.operands[0]!, demand);
    } else if (formula.kind === 'if' || formula.kind === 'unless') {
      this.#conditional.push(demand);
    } else {
      this.#settleAlternatives(demand);
    }
  }

  #settleAlternatives(demand: Demand): void {
    const { text, candidates, isAboutOne } = demand.requirement;
    const { preferredOrigin } = this.#options;
    const preferred = candidates.filter(({ origin }) => origin === preferredOrigin).sort(compareProviders)[0];
    const only = preferred ?? (candidates.length === 1 ? candidates[0] : undefined);
    if (!isAboutOne) {
      this.#open.set(text, demand);
    } else if (candidates.length === 0) {
      this.#lack(demand);
    } else if (only === undefined) {
      this.#open.set(text, demand);
    } else {
      this.#install(only);
      if (candidates.length > 1) this.#recordChoice(demand, only, 'preferred origin');
    }
  }

  #install(provider: Provider): void {
    if (this.members.has(provider)) return;
    this.members.add(provider);
    if (provider.origin === this.#options.preferredOrigin) return;
    this.#hasConflicts ||= (provider.conflicts ?? []).length + (provider.obsoletes ?? []).length > 0;
    for (const requirement of this.#index.requirementsOf(provider)) this.#demand(requirement, provider);
  }

  #followCondition(demand: Demand): void {
    const [first, condition, otherwise] =
      demand.requirement.formula.kind === 'simple' ? [] : demand.requirement.formula.operands;
    if (!holds(condition!, this.#among)) return;
    const wanted = demand.requirement.formula.kind === 'if' ? first : otherwise;
    if (wanted !== undefined) this.#demandPart(wanted, demand);
  }

  /** When nothing else is open: what is wanted because a condition doesn't hold; true when that is something new. */
  #followAbsence(): boolean {
    if (this.#nextOpen() !== undefined) return false;
    const before = this.#demands.size;
    for (const demand of [...this.#conditional].sort((a, b) => compareText(a.requirement.text, b.requirement.text))) {
      const [first, condition, otherwise] =
        demand.requirement.formula.kind === 'simple' ? [] : demand.requirement.formula.operands;
      if (holds(condition!, this.#among)) continue;
      const wanted = demand.requirement.formula.kind === 'if' ? otherwise : first;
      if (wanted !== undefined) this.#demandPart(wanted, demand);
      if (this.#demands.size > before) return true;
    }
    return false;
  }

  /** The first open demand that nothing chosen satisfies; those that are satisfied are closed. */
  #nextOpen(): Demand | undefined {
    let next: Demand | undefined;
    for (const [text, demand] of this.#open) {
      if (this.#isMet(demand)) {
        this.#open.delete(text);
        const [chosen] = demand.requirement.candidates.filter((one) => this.members.has(one)).sort(compareProviders);
        if (chosen !== undefined) this.#recordChoice(demand, chosen, 'already chosen');
      } else if (next === undefined || text < next.requirement.text) next = demand;
    }
    return next;
  }

  #isMet({ requirement: { formula, isAboutOne, candidates } }: Demand): boolean {
    return isAboutOne ? candidates.some((one) => this.members.has(one)) : holds(formula, this.#among);
  }

  #decide(demand: Demand): void {
    this.#open.delete(demand.requirement.text);
    const alternatives = this.#alternativesOf(demand);
    if (alternatives.length === 0) {
      this.#lack(demand);
      return;
    }
    const taken = this.#decisions[this.levels.length - 1] ?? 0;
    const alternative = alternatives[taken]!;
    this.levels.push({ taken, alternatives: alternatives.length, issues: [] });
    const others = alternatives.filter((one) => one !== alternative).map(({ title }) => title);
    const reason = taken === 0 ? alternative.reason : 'others fail';
    this.choices.push({ dependency: demand.requirement.text, chosen: alternative.title, others, reason });
    alternative.take();
  }

  #alternativesOf(demand: Demand): Alternative[] {
    const { dependency, formula, isAboutOne, candidates } = demand.requirement;
    if (isAboutOne) {
      const context = {
        dependency,
        formula,
        requirers: new Set(demand.requirers),
        declared: this.#options.declared ?? new Map(),
        index: this.#index,
      };
      return rankProviders(candidates, context).map(({ provider, reason }) => ({
        reason,
        title: provider.name,
        take: () => this.#install(provider),
      }));
    }
    const operands = formula.kind === 'or' ? formula.operands : [];
    return operands
      .filter((operand) => isFeasible(operand, this.#all))
      .map((operand) => ({
        reason: 'written first',
        title: formatRichDependency(operand),
        take: () => this.#demandPart(operand, demand),
      }));
  }

  #recordChoice({ requirement: { text, candidates } }: Demand, chosen: Provider, reason: ChoiceReason): void {
    const others = candidates.filter((one) => one !== chosen);
    this.choices.push({ dependency: text, chosen: chosen.name, others: others.map(({ name }) => name).sort(), reason });
  }

  #lack(demand: Demand): void {
    this.lacks.push(demand);
    this.levels.at(-1)!.issues.push('lack');
  }

  #closeLevel(): void {
    const subject = [...this.members].filter(({ origin }) => origin !== this.#options.preferredOrigin);
    if (!this.#hasConflicts && new Set(subject.map(({ name }) => name)).size === subject.length) return;
    const known = new Set(this.conflicts.map(conflictKey));
    this.conflicts = findConflicts(new Set(subject), this.#index);
    const { issues } = this.levels.at(-1)!;
    for (const conflict of this.conflicts) if (!known.has(conflictKey(conflict))) issues.push('conflict');
  }
}
