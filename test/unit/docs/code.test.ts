import { join } from 'node:path';
import ts from 'typescript';
import { read, root } from './markdown';

/** The connector of docs/writing-a-connector.md compiles against the kit, as if its files lay where they say. */

const page = 'docs/writing-a-connector.md';

function filesOf(text: string): Map<string, string> {
  const blocks = [...text.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```/gm)];
  return new Map(blocks.map(([, path = '', code = '']) => [join(root, path), code]));
}

function problemsOf(files: Map<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  // Else the compiler would not look for files in folders that are not on the disk.
  delete host.directoryExists;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, target) => {
    const code = files.get(path);
    return code === undefined ? getSourceFile(path, target) : ts.createSourceFile(path, code, target);
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options, host });
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  });
}

test('the code of the guide compiles, and would not with a wrong name', () => {
  const files = filesOf(read(page));
  expect(files.size).toBe(5);
  expect(problemsOf(files)).toEqual([]);

  const path = join(root, 'lib/systems/acme/index.ts');
  files.set(path, String(files.get(path)).replace('operations:', 'operation:'));
  expect(problemsOf(files)).toHaveLength(1);
}, 60_000);
