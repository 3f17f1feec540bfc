import { onScopeDispose } from 'vue';

export const FIND_FIELD_ID = 'find';

/** `/` goes to the search, wherever one is and is not typing. */
export function useShortcuts(): void {
  const listener = (event: KeyboardEvent): void => {
    const target = event.target instanceof Element ? event.target : null;
    const isTyping = target?.closest('input, textarea, select, [contenteditable]') != null;
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.getElementById(FIND_FIELD_ID)?.focus();
  };
  document.addEventListener('keydown', listener);
  onScopeDispose(() => document.removeEventListener('keydown', listener));
}
