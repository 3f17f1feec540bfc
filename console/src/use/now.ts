import { readonly, ref } from 'vue';

const STEP_MS = 15_000;

const current = ref(Date.now());
setInterval(() => {
  current.value = Date.now();
}, STEP_MS);

/** Epoch milliseconds, moving on often enough for "5 min ago". */
export const now = readonly(current);
