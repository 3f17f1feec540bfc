import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';
import { invalid, type Problem } from './errors';

/** An object on its way to being created or updated: what was sent, on top of what is stored. */
export class Draft {
  readonly account: Account;
  /** The stored object; null when it is being created. */
  readonly before: SimRecord | null;
  readonly values: Data = {};
  readonly problems: Problem[] = [];

  constructor(account: Account, before: SimRecord | null) {
    this.account = account;
    this.before = before;
  }

  /** True when the caller sent the attribute, or a rule derived it. */
  has(attribute: string): boolean {
    return attribute in this.values;
  }

  /** The value the object will have. */
  get(attribute: string): unknown {
    return (this.has(attribute) ? this.values[attribute] : this.before?.data[attribute]) ?? null;
  }

  text(attribute: string): string {
    return String(this.get(attribute) ?? '');
  }

  number(attribute: string): number {
    return Number(this.get(attribute) ?? 0);
  }

  set(attribute: string, value: unknown): void {
    this.values[attribute] = value;
  }

  refuse(attribute: string, message: string): void {
    this.problems.push(invalid(attribute, message));
  }

  /** The object another attribute points to, when that attribute is set and valid. */
  related(collection: string, attribute: string): SimRecord | undefined {
    return this.account.get(collection, this.get(attribute));
  }

  /** Adds a problem when a period ends before it starts. */
  checkPeriod(start: string, end: string): void {
    const [from, to] = [this.get(start), this.get(end)];
    if (typeof from === 'string' && typeof to === 'string' && to < from) {
      this.refuse(end, `must be on or after the ${start.replaceAll('_', ' ')}`);
    }
  }
}
