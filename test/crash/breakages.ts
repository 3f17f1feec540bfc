import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The product with one protection taken out: whoever proves that it holds must notice when it does not. */
export interface Breakage {
  name: string;
  /** Text of the built `lib.js`, which is there exactly once, and what takes its place. */
  changes: readonly (readonly [string, string])[];
}

export const breakages: Record<string, Breakage> = {};

/** Breaks the pack in a user directory. @throws Error when the product has changed and the text is not there */
export async function breakPack(userDir: string, { name, changes }: Breakage): Promise<void> {
  const file = join(userDir, 'node_modules/@quote-to-cash/node-red/dist/lib.js');
  let text = await readFile(file, 'utf8');
  for (const [from, to] of changes) {
    const count = text.split(from).length - 1;
    if (count !== 1)
      throw new Error(`--break ${name} no longer fits: found ${count} times in lib.js:\n${from}`);
    text = text.replace(from, () => to);
  }
  await writeFile(file, text);
}
