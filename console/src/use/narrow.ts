import { readonly, ref } from 'vue';

/** Below this a table does not fit: rows become cards. */
const query = matchMedia('(max-width: 860px)');
const current = ref(query.matches);
query.addEventListener('change', ({ matches }) => {
  current.value = matches;
});

export const narrow = readonly(current);
