const project = (name, extra = {}) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform: { '\\.ts$': '<rootDir>/test/support/esbuild-transformer.cjs' },
  testEnvironment: 'node',
  ...extra,
});

/** One project per kind of test (DESIGN §10); `npm test -- --selectProjects unit` runs one kind. */
export default {
  projects: [
    project('unit'),
    project('store'),
    project('contract'),
    project('simulator'),
    project('nodes'),
    project('host'),
    project('browser'),
  ],
};
