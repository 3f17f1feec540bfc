import { writeFileSync } from 'node:fs';
import { API_ROOT, describe } from '../lib/api';
import { version } from '../package.json';

/**
 * `npm run openapi`: the programs' interface as an OpenAPI 3.1 document, printed, or written to the file that is named:
 * `npm run openapi -- openapi.json`.
 */
async function main([file]: string[]): Promise<void> {
  const text = `${JSON.stringify(await describe(version, API_ROOT), null, 2)}\n`;
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}

void main(process.argv.slice(2));
