import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { scripts } from '../../../package.json';
import {
  anchorsOf,
  filesNamedIn,
  linksOf,
  pages,
  problemOf,
  read,
  root,
  scriptsNamedIn,
  targetOf,
} from './markdown';

describe.each(pages())('%s', (page) => {
  test('its links lead somewhere', () => {
    expect(linksOf(read(page)).flatMap((link) => problemOf(page, link) ?? [])).toEqual([]);
  });

  test('the files that it names exist', () => {
    expect(filesNamedIn(read(page)).filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  test('the scripts that it names exist', () => {
    expect(scriptsNamedIn(read(page)).filter((name) => !(name in scripts))).toEqual([]);
  });
});

test('every page is found from the README', () => {
  const found = new Set(['README.md']);
  for (const page of found) {
    const targets = linksOf(read(page)).map((link) => targetOf(page, link).path);
    for (const path of targets) {
      // A link to a folder leads to all pages in it.
      for (const other of pages()) if (other === path || other.startsWith(`${path}/`)) found.add(other);
    }
  }
  expect(pages().filter((page) => !found.has(page))).toEqual([]);
});

test('a dead link, a dead anchor and a missing file are noticed', () => {
  expect(problemOf('docs/cases.md', 'nowhere.md')).toContain('there is no docs/nowhere.md');
  expect(problemOf('docs/cases.md', '#nowhere')).toContain('has no heading #nowhere');
  expect(problemOf('docs/cases.md', '../../outside.md')).toContain('there is no');
  expect(problemOf('docs/cases.md', '../README.md#try-it')).toBeNull();
});

test('links in code are no links, anchors are those of GitHub', () => {
  expect(linksOf('[a](b.md) `[c](d.md)` ![e](f.png)\n```\n[g](h.md)\n```\n[i](https://x.example)')).toEqual([
    'b.md',
    'f.png',
  ]);
  expect(
    anchorsOf('# A file or a PostgreSQL\n## `casePolicy`: who?\n# Undo\n## Undo\n# An _empty_ name'),
  ).toEqual(['a-file-or-a-postgresql', 'casepolicy-who', 'undo', 'undo-1', 'an-empty-name']);
  expect(filesNamedIn('`lib/engine/step.ts` `lib/systems/<id>/manifest.ts` `lib/*.ts`')).toEqual([
    'lib/engine/step.ts',
  ]);
});
