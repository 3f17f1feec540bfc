import vue from '@vitejs/plugin-vue';
import { defineConfig, type Plugin } from 'vite';
import vuetify from 'vite-plugin-vuetify';
import { noteBundledByVite } from '../scripts/build/bundled';

/** Where the server puts the nonce of an answer (nodes/_shared/console-page.ts). */
const NONCE_PLACE = 'NONCE_OF_THIS_ANSWER';

/** From the weakest on, as Vuetify orders them itself where its styles come first. */
const LAYERS =
  '@layer vuetify-core, vuetify-components, vuetify-overrides, vuetify-utilities, vuetify-final;';

/** Styles are put together in the order of the parts of the program, so the layers would take any order. */
const layersFirst: Plugin = {
  name: 'layers-first',
  enforce: 'post',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === 'asset' && file.fileName.endsWith('.css')) file.source = `${LAYERS}${file.source}`;
    }
  },
};

/**
 * The console is served below the admin root of a Node-RED, wherever that is: its addresses are relative. `npm run
 * build` makes it (scripts/build/console.ts).
 */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [vue(), vuetify(), layersFirst, noteBundledByVite],
  html: { cspNonce: NONCE_PLACE },
  build: {
    target: 'es2022',
    emptyOutDir: true,
    // One small file: no page shows before its style is there.
    cssCodeSplit: false,
    // The policy allows no inline files.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
});
