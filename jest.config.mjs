const project = (name, extra = {}) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform: { '\\.ts$': '<rootDir>/test/support/esbuild-transformer.cjs' },
  testEnvironment: 'node',
  ...extra,
});

/** Packs the pack once for all test files that install it. */
const packed = { globalSetup: '<rootDir>/test/support/pack.ts' };

/** One project per kind of test (DESIGN §10); `npm test -- --selectProjects unit` runs one kind. */
export default {
  projects: [
    project('unit'),
    project('store'),
    project('contract'),
    project('simulator'),
    project('nodes'),
    project('host', packed),
    project('browser', packed),
  ],
};
