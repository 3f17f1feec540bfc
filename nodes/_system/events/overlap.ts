import type { SourceEvent } from '../../../lib/systems/kit/types';

type State = Pick<SourceEvent, 'id' | 'stamp'>;

/**
 * What polls have taken up. Each poll begins a while before the end of the one before it, and so shows the same events
 * again and again; the store knows them, but asking it costs as much as a new event.
 */
export class Overlap {
  private before = new Set<string>();
  private taken = new Set<string>();

  /** Events of a page that are not surely known. */
  news<E extends State>(events: readonly E[]): E[] {
    return events.filter((event) => !this.before.has(keyOf(event)));
  }

  /** A page is in the store. */
  took(events: readonly State[]): void {
    for (const event of events) this.taken.add(keyOf(event));
  }

  /** The last page of a poll is in the store: what was not in it will not be shown again. */
  ended(): void {
    this.before = this.taken;
    this.taken = new Set();
  }
}

/** A state that returns has the id that it had before, but another stamp: that is news. */
const keyOf = ({ id, stamp = '' }: State): string => `${stamp} ${id}`;
