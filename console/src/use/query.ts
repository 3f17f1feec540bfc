import { onScopeDispose, type ShallowRef, shallowRef, watch } from 'vue';
import { type LiveKind, onLive } from '../api/live';

export interface Query<T> {
  /** The latest answer; it stays while a newer one is asked for. */
  data: ShallowRef<T | null>;
  error: ShallowRef<Error | null>;
  loading: ShallowRef<boolean>;
  reload(): Promise<void>;
}

/**
 * An answer of the API that is kept up to date: asked for again when the question changes, and when the host tells of a
 * change of these kinds.
 */
export function useQuery<Q, T>(
  question: () => Q,
  ask: (question: Q, signal: AbortSignal) => Promise<T>,
  live: readonly LiveKind[] = [],
): Query<T> {
  const data = shallowRef<T | null>(null);
  const error = shallowRef<Error | null>(null);
  const loading = shallowRef(true);
  let current = new AbortController();

  async function load(): Promise<void> {
    current.abort();
    const mine = new AbortController();
    current = mine;
    loading.value = true;
    try {
      const answer = await ask(question(), mine.signal);
      if (mine.signal.aborted) return;
      data.value = answer;
      error.value = null;
    } catch (thrown) {
      if (mine.signal.aborted) return;
      error.value = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    loading.value = false;
  }

  watch(
    () => JSON.stringify(question()),
    () => {
      data.value = null;
      void load();
    },
  );
  void load();
  if (live.length > 0) onLive(live, load);
  onScopeDispose(() => current.abort());
  return { data, error, loading, reload: load };
}
