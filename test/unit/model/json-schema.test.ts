import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { businessEvent, businessEventTypes, entityNames, newId } from '../../../lib/model';
import { entityJsonSchema, eventJsonSchema, kebabCase } from '../../../lib/model/json-schema';
import { entityOf } from './arbitraries';

const ajv = addFormats(new Ajv2020({ strict: true, strictRequired: false, allErrors: true }));

describe.each(entityNames)('%s', (name) => {
  const validate = ajv.compile(entityJsonSchema(name));

  test('accepts what the model accepts', () => {
    fc.assert(
      fc.property(entityOf(name), (entity) => {
        expect({ valid: validate(JSON.parse(JSON.stringify(entity))), errors: validate.errors }).toEqual({
          valid: true,
          errors: null,
        });
      }),
      { numRuns: 20 },
    );
  });

  test('refuses unknown and missing fields', () => {
    fc.assert(
      fc.property(entityOf(name), (entity) => {
        expect(validate({ ...entity, somethingElse: 1 })).toBe(false);
        const { version: _, ...rest } = entity;
        expect(validate(rest)).toBe(false);
      }),
      { numRuns: 5 },
    );
  });
});

test('every event type has a schema of its own', () => {
  const ids = businessEventTypes.map((type) => {
    ajv.compile(eventJsonSchema(type));
    return eventJsonSchema(type).$id;
  });
  expect(new Set(ids).size).toBe(businessEventTypes.length);
});

test('an event points to the schema of its data', () => {
  const event = businessEvent('q2c.project.provisioned.v1', {
    tenant: 'meridian',
    component: 'engine',
    correlationId: 'opp_1',
    data: { project: { id: newId('project'), externalRefs: [], code: 'P-1' }, changed: ['status'] },
  });
  const validate = ajv.getSchema(event.dataschema);
  expect(validate?.(event.data)).toBe(true);
  expect(validate?.({ changed: [] })).toBe(false);
});

test('files are named in kebab case', () => {
  expect(kebabCase('billingScheduleLine')).toBe('billing-schedule-line');
});
