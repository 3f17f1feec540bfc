import type { Engine } from '../../../lib/engine';
import type { Instant } from '../../../lib/model';
import type { EventSource, SourceEvent, SystemClient } from '../../../lib/systems/kit';
import { intakeEvents } from '../../../nodes/_system/events/message';

/** Page after page until there is no more, as the events node does it; more pages than this are an endless scan. */
const MAX_PAGES = 500;

/** What a source needs of the engine. */
export type Intake = Pick<Engine, 'accept' | 'cursor' | 'identify'>;

/** A source that is polled into an engine: its cursor and its duplicates are those of the store. */
export class Polling<C extends SystemClient> {
  pageSize = 200;

  constructor(
    private readonly engine: Intake,
    private readonly client: () => C,
    private readonly source: EventSource<C>,
    private readonly startAt: Instant,
  ) {}

  /** One poll with all its pages. */
  async poll(): Promise<{ events: SourceEvent[]; accepted: number }> {
    const events: SourceEvent[] = [];
    let accepted = 0;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = await this.page();
      events.push(...page.events);
      accepted += page.accepted;
      if (!page.more) return { events, accepted };
    }
    throw new Error(`the scan did not end within ${MAX_PAGES} pages`);
  }

  /** How many events of one poll are news to the store. */
  async news(): Promise<number> {
    return (await this.poll()).accepted;
  }

  private async page(): Promise<{ events: SourceEvent[]; accepted: number; more: boolean }> {
    const client = this.client();
    const page = await this.source.poll(client, await this.engine.cursor(this.source.id), {
      settings: client.settings,
      pageSize: this.pageSize,
      startAt: this.startAt,
      signal: new AbortController().signal,
    });
    // As it comes from the thread that calls vendors.
    const { events, cursor, more } = structuredClone(page);
    const { accepted } = await this.engine.accept({
      sourceNode: 'events',
      system: client.system,
      instance: client.instance,
      source: this.source.id,
      events: await intakeEvents(this.engine, client, this.source, events),
      cursor,
    });
    return { events, accepted, more };
  }
}
