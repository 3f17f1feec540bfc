import { readonly, ref } from 'vue';
import { ApiError } from '../api/client';

interface Notice {
  text: string;
  tone: 'success' | 'error';
}

const current = ref<Notice | null>(null);
export const notice = readonly(current);

export function say(text: string): void {
  current.value = { text, tone: 'success' };
}

/** Says that something which the viewer asked for was refused, and why. */
export function sayError(error: unknown): void {
  const text = error instanceof ApiError ? `${error.message} (${error.code})` : String(error);
  current.value = { text, tone: 'error' };
}

export function dismiss(): void {
  current.value = null;
}
