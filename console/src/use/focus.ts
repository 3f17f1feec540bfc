import type { ObjectDirective } from 'vue';

/**
 * `v-focus-first`: the first field within has the keyboard as soon as it is there. Vuetify's own `autofocus` comes late
 * and would take over what is typed into the next field.
 */
export const vFocusFirst: ObjectDirective<HTMLElement> = {
  mounted: (element) => element.querySelector<HTMLElement>('input, textarea')?.focus(),
};
