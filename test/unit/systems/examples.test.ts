import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dealDocumentSchema } from '../../../lib/model';
import { manifests, type SystemId } from '../../../lib/systems';

/** Examples of input and output that forms show (`npm run examples`). */

type Examples = Record<string, { input: Record<string, unknown>; output: Record<string, unknown> }>;

const folder = join(__dirname, '../../../lib/systems');

describe.each(Object.keys(manifests) as SystemId[])('%s', (id) => {
  const examples = JSON.parse(readFileSync(join(folder, id, 'examples.json'), 'utf8')) as Examples;

  test('every operation has an example, and no other', () => {
    const operations = Object.entries(manifests[id].entities).flatMap(([entity, { operations: verbs }]) =>
      Object.keys(verbs).map((verb) => `${entity}.${verb}`),
    );
    expect(Object.keys(examples).sort()).toEqual(operations.sort());
  });

  test.each(Object.entries(examples))('%s reads and adds what the model allows', (_operation, example) => {
    const { result, ...added } = example.output;
    expect(result === undefined || Array.isArray(result)).toBe(true);
    for (const parts of [example.input, added]) {
      const parsed = dealDocumentSchema.safeParse(parts);
      expect(parsed.error?.issues ?? []).toEqual([]);
      // Parts that the model does not know would be dropped without a word.
      expect(Object.keys(parsed.data ?? {}).sort()).toEqual(Object.keys(parts).sort());
    }
  });
});
