const setup = (file) => `<rootDir>/test/support/${file}.ts`;

const project = (name, extra = {}) => ({
  displayName: name,
  globalSetup: setup('temporary'),
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform: { '\\.ts$': '<rootDir>/test/support/esbuild-transformer.cjs' },
  testEnvironment: 'node',
  ...extra,
});

/** Real hosts need the packed tarball; it is packed once for all test files of a run. */
const packed = { globalSetup: setup('pack') };

/** One project per kind of test (DESIGN §10); `npx jest --selectProjects unit` runs one kind. */
export default {
  projects: [
    project('unit'),
    project('store'),
    project('contract'),
    project('simulator'),
    project('nodes', { globalSetup: setup('build-nodes') }),
    project('host', packed),
    project('browser', packed),
  ],
};
