import { readonly, ref } from 'vue';
import { ApiError } from '../api/client';
import type { CancelReport } from '../api/types';
import { t } from '../i18n';

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

/** Says how far a run was taken back. */
export function sayCancelled({ stuck }: CancelReport): void {
  if (stuck === null) say(t.runs.cancelled);
  else sayError(t.runs.cancelStuck(stuck.node, stuck.reason));
}

export function dismiss(): void {
  current.value = null;
}
