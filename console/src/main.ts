import 'vuetify/styles/core';
import './style.css';
import { createApp } from 'vue';
import { createVuetify } from 'vuetify';
import { aliases, mdi } from 'vuetify/iconsets/mdi-svg';
import { de, en } from 'vuetify/locale';
import App from './App.vue';
import { language } from './i18n';
import { router } from './router';
import { dark, light } from './theme';

document.documentElement.lang = language;

/** Styles made while the page runs need the nonce that the server gave to this answer. */
const cspNonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;

const vuetify = createVuetify({
  icons: { defaultSet: 'mdi', aliases, sets: { mdi } },
  locale: { locale: language, messages: { de, en } },
  theme: { defaultTheme: 'system', cspNonce, themes: { light, dark } },
  defaults: {
    global: { ripple: false },
    VBtn: { variant: 'flat', elevation: 0, rounded: 'md' },
    VTextField: { variant: 'outlined', density: 'compact', hideDetails: 'auto' },
    VTextarea: { variant: 'outlined', density: 'compact', hideDetails: 'auto', rows: 3 },
    VSelect: { variant: 'outlined', density: 'compact', hideDetails: 'auto' },
    VAutocomplete: { variant: 'outlined', density: 'compact', hideDetails: 'auto' },
    VCheckbox: { density: 'compact', hideDetails: true },
    VRadioGroup: { density: 'compact', hideDetails: true },
  },
});

createApp(App).use(router).use(vuetify).mount('#app');
