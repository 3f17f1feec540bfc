import { computed, type WritableComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';

/** A value that is part of the address: `?name=value`; absent when it is the fallback. */
export function useInAddress(name: string, fallback = ''): WritableComputedRef<string> {
  const route = useRoute();
  const router = useRouter();
  return computed({
    get: () => {
      const value = route.query[name];
      return typeof value === 'string' ? value : fallback;
    },
    set: (value) => {
      const { [name]: _, ...others } = route.query;
      void router.push({ query: value === fallback ? others : { ...others, [name]: value } });
    },
  });
}
