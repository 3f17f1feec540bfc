import { writeFileSync } from 'node:fs';
import { API_ROOT, describe } from '../lib/api';
import { version } from '../package.json';

/**
 * `npm run openapi`: the programs' interface as an OpenAPI 3.1 document, printed, or written to the file that is named:
 * `npm run openapi -- openapi.json`.
 */
const text = `${JSON.stringify(describe(version, API_ROOT), null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(text);
else writeFileSync(file, text);
