import { onScopeDispose, ref, type ShallowRef, shallowRef, watch } from 'vue';
import { get, type Query } from '../api/client';
import { type LiveKind, onLive } from '../api/live';

export interface PageOf<T> {
  items: T[];
  /** Null = the last page. */
  next: string | null;
}

export interface Pages<T> {
  items: ShallowRef<readonly T[]>;
  error: ShallowRef<Error | null>;
  loading: ShallowRef<boolean>;
  hasMore: () => boolean;
  loadMore(): Promise<void>;
  reload(): Promise<void>;
  /** Tells whether the viewer is at the beginning; only there changes are shown without asking. */
  setAtTop(isAtTop: boolean): void;
  /** True when the host has told of changes that the list does not show yet. */
  isStale: ShallowRef<boolean>;
}

const PAGE = 100;

/** A list of the API, page by page, with the filter of the address; changes of these kinds bring it up to date. */
export function usePages<T>(path: string, filter: () => Query, live: readonly LiveKind[]): Pages<T> {
  const items = shallowRef<readonly T[]>([]);
  const error = shallowRef<Error | null>(null);
  const loading = shallowRef(true);
  const isStale = shallowRef(false);
  const next = ref<string | null>(null);
  let atTop = true;
  let current = new AbortController();

  async function load(from: string | null): Promise<void> {
    current.abort();
    const mine = new AbortController();
    current = mine;
    loading.value = true;
    try {
      const page = await get<PageOf<T>>(path, { ...filter(), limit: PAGE, cursor: from }, mine.signal);
      if (mine.signal.aborted) return;
      items.value = from === null ? page.items : [...items.value, ...page.items];
      next.value = page.next;
      error.value = null;
      if (from === null) isStale.value = false;
    } catch (thrown) {
      if (mine.signal.aborted) return;
      error.value = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    loading.value = false;
  }

  const reload = () => load(null);
  watch(
    () => JSON.stringify(filter()),
    () => {
      items.value = [];
      atTop = true;
      void reload();
    },
  );
  void reload();
  onLive(live, async () => {
    if (atTop) await reload();
    else isStale.value = true;
  });
  onScopeDispose(() => current.abort());

  return {
    items,
    error,
    loading,
    isStale,
    hasMore: () => next.value !== null,
    loadMore: async () => {
      if (next.value !== null) await load(next.value);
    },
    reload,
    setAtTop: (value) => {
      atTop = value;
    },
  };
}
