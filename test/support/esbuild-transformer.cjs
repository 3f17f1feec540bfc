const { transformSync } = require('esbuild');

/** Compiles one TypeScript file for Jest; types are checked by `npm run typecheck`, not here. */
module.exports = {
  process(source, filename) {
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node22',
      // Jest cannot run import() without an experimental flag; as require() it can.
      supported: { 'dynamic-import': false },
      sourcefile: filename,
      // Scripts are ES modules; what they import here is CommonJS like everything else under test.
      define: { 'import.meta.dirname': '__dirname' },
      sourcemap: 'external',
    });
    return { code, map };
  },
};
