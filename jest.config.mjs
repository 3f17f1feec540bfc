const setup = (file) => `<rootDir>/test/support/${file}.ts`;

const project = (name, extra = {}) => ({
  displayName: name,
  globalSetup: setup('temporary'),
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform: { '\\.ts$|otlp-exporter-base/.*\\.js$': '<rootDir>/test/support/esbuild-transformer.cjs' },
  // The exporter of traces loads http with import(), which Jest cannot run.
  transformIgnorePatterns: ['/node_modules/(?!@opentelemetry/otlp-exporter-base/)'],
  testEnvironment: 'node',
  ...extra,
});

/** Real hosts need the packed tarball; it is packed once for all test files of a run. */
const packed = { globalSetup: setup('pack') };

/** Tests that need PostgreSQL share one server. */
const withPostgres = { globalSetup: setup('postgres-once'), globalTeardown: setup('postgres-stop') };

/** One project per kind of test (DESIGN §10); `npx jest --selectProjects unit` runs one kind. */
export default {
  projects: [
    project('unit'),
    project('store', withPostgres),
    // What the engine promises holds on either store, and so does what is told of it.
    project('unit', {
      ...withPostgres,
      displayName: 'postgres',
      testMatch: [
        '<rootDir>/test/unit/{engine,governance,api}/**/*.test.ts',
        '<rootDir>/test/unit/observe/{evidence,kpi,metrics}.test.ts',
      ],
      // Fills a store of its own with years of work.
      testPathIgnorePatterns: ['api/speed'],
      globals: { Q2C_TEST_STORE: 'postgres' },
    }),
    project('contract'),
    project('simulator'),
    project('nodes', { ...withPostgres, globalSetup: setup('build-nodes') }),
    project('host', { ...withPostgres, globalSetup: setup('pack-and-postgres') }),
    project('browser', packed),
  ],
};
