const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { transformSync, version } = require('esbuild');

const own = readFileSync(__filename);

/** Compiles one file for Jest; types are checked by `npm run typecheck`, not here. */
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
  /** Without this Jest would go on using what an older version of this file has compiled. */
  getCacheKey(source, filename) {
    return createHash('sha256')
      .update(own)
      .update(version)
      .update(filename)
      .update('\0')
      .update(source)
      .digest('hex');
  },
};
