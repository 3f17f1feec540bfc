import { writeFileSync } from 'node:fs';
import { asyncApiDocument } from '../lib/events/asyncapi';
import { version } from '../package.json';

/**
 * `npm run asyncapi`: the business events on MQTT as an AsyncAPI 3 document, printed, or written to the file that is
 * named: `npm run asyncapi -- asyncapi.json`.
 */
const text = `${JSON.stringify(asyncApiDocument(version), null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(text);
else writeFileSync(file, text);
