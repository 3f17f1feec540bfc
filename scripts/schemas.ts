import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mappingJsonSchema } from '../lib/mapping/json-schema';
import { businessEventTypes, entityNames } from '../lib/model';
import { entityJsonSchema, eventJsonSchema, type JsonSchema, kebabCase } from '../lib/model/json-schema';

/**
 * `npm run schemas`: writes the canonical model as JSON Schema, one file per entity and per event type.
 * The folder is made anew, so that no schema outlives its entity.
 */
const folder = 'schemas';
const eventFolder = join(folder, 'events');

rmSync(folder, { recursive: true, force: true });
mkdirSync(eventFolder, { recursive: true });

for (const entity of entityNames) {
  const schema = entityJsonSchema(entity);
  const file = write(join(folder, `${kebabCase(entity)}.schema.json`), schema);
  const fields = Object.keys(schema.properties ?? {}).length;
  console.log(
    `${file.padEnd(46)} ${String(fields).padStart(3)} fields, ${schema.required?.length ?? 0} required`,
  );
}
for (const type of businessEventTypes) {
  write(join(eventFolder, `${type}.schema.json`), eventJsonSchema(type));
}
console.log(
  `${join(eventFolder, '*.schema.json').padEnd(46)} ${String(businessEventTypes.length).padStart(3)} event types`,
);

write(join(folder, 'mapping-set.schema.json'), mappingJsonSchema());
console.log(join(folder, 'mapping-set.schema.json'));

function write(file: string, schema: JsonSchema): string {
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
  return file;
}
