import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Name of the file at the root of the published pack. */
export const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/**
 * Licences that allow to publish the code inside ours under Apache-2.0 as long as their texts come with it. Apache-2.0
 * asks for the NOTICE file of a package as well (its §4d).
 */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

interface Notice {
  name: string;
  version: string;
  licence: string;
  /** Licence and notices, as the package has them; empty when it has none. */
  text: string;
}

/**
 * The licence texts of packages, as one file.
 * @param folders of the packages; one package may lie in several places and versions
 * @returns the text, and what keeps it from being published, one sentence each
 */
export async function thirdPartyNotices(
  folders: Iterable<string>,
): Promise<{ text: string; problems: string[] }> {
  const found = await Promise.all([...folders].map(readNotice));
  const notices = [...new Map(found.map((notice) => [titleOf(notice), notice])).entries()].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const sections = notices.map(([title, { licence, text }]) => `${title} (${licence})\n\n${text}\n`);
  return {
    text: [
      'This package contains code of the packages below. Their licences apply to it.\n',
      ...sections,
    ].join(`\n${'-'.repeat(80)}\n\n`),
    problems: notices.flatMap(([title, notice]) => problemsOf(title, notice)),
  };
}

const titleOf = ({ name, version }: Notice): string => `${name} ${version}`;

function problemsOf(title: string, { licence, text }: Notice): string[] {
  const problems: string[] = [];
  if (!ALLOWED.includes(licence))
    problems.push(`${title} is bundled, and its licence "${licence}" is not allowed`);
  if (text === '') problems.push(`${title} is bundled, and it brings no text of its licence`);
  return problems;
}

async function readNotice(folder: string): Promise<Notice> {
  const { name, version, license }: Record<string, unknown> = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  );
  return {
    name: String(name),
    version: String(version),
    licence: String(license),
    text: await textOf(folder),
  };
}

/** Some packages have the text in their README only. */
async function textOf(folder: string): Promise<string> {
  const files = (await readdir(folder)).sort();
  const texts = files.filter((file) => /^(licen[cs]e|copying|notice)(\.|-|$)/i.test(file));
  const readme = files.find((file) => /^readme/i.test(file));
  const parts = await Promise.all(texts.map((file) => readFile(join(folder, file), 'utf8')));
  if (parts.length === 0 && readme !== undefined) {
    parts.push(licenceSection(await readFile(join(folder, readme), 'utf8')));
  }
  return parts.map((part) => part.replaceAll('\r\n', '\n').trim()).join('\n\n');
}

/** The section about the licence of a README, when it holds the text and not only its name. */
function licenceSection(readme: string): string {
  const section = /^#+ *licen[cs]e\b.*\n([\s\S]*?)(?=^#|(?![\s\S]))/im.exec(readme)?.[1] ?? '';
  return /copyright/i.test(section) && /permission/i.test(section) ? section : '';
}
