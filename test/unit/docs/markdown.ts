import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Just enough of Markdown to find what a page points to. */

export const root = join(__dirname, '../../..');

/** Every page that people read, as paths below the root. */
export function pages(): string[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file));
  return ['README.md', 'CONTRIBUTING.md', join('bench', 'RESULTS.md'), ...inDocs.sort()];
}

export function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

const withoutBlocks = (text: string) => text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
const withoutCode = (text: string) => withoutBlocks(text).replaceAll(/`[^`\n]*`/g, '');

/** Targets of all links and pictures that stay in the repository. */
export function linksOf(text: string): string[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return targets.filter((target) => !/^[a-z]+:/i.test(target));
}

/** Anchors of the headings, as GitHub makes them: lower case, hyphens, a number on those that come again. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutBlocks(text).matchAll(/^#{1,6} +(.+)$/gm)].map((match) => {
    const slug = (match[1] ?? '')
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
      // Underscores that only set text in italics are no part of it.
      .replaceAll(/(?<=^|-)_|_(?=-|$)/g, '');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** The file or folder below the root that a link of a page leads to, and the anchor in it. */
export function targetOf(page: string, link: string): { path: string; anchor: string | undefined } {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? page : relative(root, resolve(root, dirname(page), decodeURI(file)));
  return { path, anchor };
}

/** What is wrong with a link, or null. */
export function problemOf(page: string, link: string): string | null {
  const { path, anchor } = targetOf(page, link);
  if (path.startsWith('..') || !existsSync(join(root, path))) return `${link}: there is no ${path}`;
  if (anchor === undefined) return null;
  if (statSync(join(root, path)).isDirectory()) return `${link}: a folder has no anchors`;
  return anchorsOf(read(path)).includes(anchor) ? null : `${link}: ${path} has no heading #${anchor}`;
}

/** Names of files in the repository that stand as code in the text; patterns and placeholders are none. */
export function filesNamedIn(text: string): string[] {
  const folders = 'bench|bin|docs|flows|icons|lib|locales|nodes|scripts|simulator|test';
  const named = new RegExp(`^(?:${folders})/[\\w./-]+$`);
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)]
    .map((match) => match[1] ?? '')
    .filter((name) => named.test(name));
}

/** Scripts that the text tells people to run, also in blocks. */
export function scriptsNamedIn(text: string): string[] {
  const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
  return [...new Set(named)];
}
