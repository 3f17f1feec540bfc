import { onScopeDispose, readonly, ref } from 'vue';
import { apiRoot, send } from './client';
import { readEvents, type ServerEvent } from './sse';
import type { Change } from './types';

/** What the host tells of as it happens. */
export type LiveKind = Change['what'];

interface Listener {
  kinds: readonly LiveKind[];
  tell(): void;
}

/** Changes come in crowds; a view is brought up to date at most this often. */
const SETTLE_MS = 1_000;
const RECONNECT_MS = { least: 1_000, most: 30_000 };

const listeners = new Set<Listener>();
const state = ref<'connecting' | 'live' | 'off'>('off');
/** Whether what is shown follows the host. */
export const liveState = readonly(state);

let lastEventId: string | null = null;

/** Calls back after changes of these kinds, and when a lost connection is there again, while the component lives. */
export function onLive(kinds: readonly LiveKind[], refresh: () => Promise<void>): void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const listener: Listener = {
    kinds,
    tell: () => {
      timer ??= setTimeout(async () => {
        await refresh();
        timer = null;
      }, SETTLE_MS);
    },
  };
  listeners.add(listener);
  if (state.value === 'off') void follow();
  onScopeDispose(() => {
    listeners.delete(listener);
    if (timer !== null) clearTimeout(timer);
  });
}

/** Follows the host for as long as the page is open. */
async function follow(): Promise<void> {
  let wait = RECONNECT_MS.least;
  for (;;) {
    state.value = 'connecting';
    try {
      const response = await send(new URL('events', apiRoot), {
        headers: lastEventId === null ? {} : { 'Last-Event-ID': lastEventId },
      });
      if (response.body === null) throw new Error('The stream of events has no body.');
      if (wait > RECONNECT_MS.least) for (const { tell } of listeners) tell();
      state.value = 'live';
      wait = RECONNECT_MS.least;
      for await (const event of readEvents(response.body)) {
        if (event.id !== null) lastEventId = event.id;
        tell(event);
      }
    } catch (error) {
      console.debug('Live changes:', error);
    }
    state.value = 'connecting';
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(wait * 2, RECONNECT_MS.most);
  }
}

/** `reset`: too much was missed to tell it one by one, so everything may have changed. */
function tell({ event, data }: ServerEvent): void {
  const what = event === 'change' ? (JSON.parse(data) as Change).what : null;
  for (const listener of listeners) if (what === null || listener.kinds.includes(what)) listener.tell();
}
