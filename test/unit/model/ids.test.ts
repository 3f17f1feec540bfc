import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { decodeTime } from 'ulid';
import {
  deriveId,
  type EntityName,
  entityNames,
  entityOfId,
  idPrefixes,
  isId,
  newId,
} from '../../../lib/model';

const entity = fc.constantFrom<EntityName>(...entityNames);

test('prefixes are unique and three letters long', () => {
  const prefixes = Object.values(idPrefixes);
  expect(new Set(prefixes).size).toBe(prefixes.length);
  for (const prefix of prefixes) expect(prefix).toMatch(/^[a-z]{3}$/);
});

test('new ids carry prefix and time, and grow', () => {
  const before = Date.now();
  const ids = Array.from({ length: 1000 }, () => newId('customer'));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids[0]).toMatch(/^cus_[0-9A-Z]{26}$/);
  expect(decodeTime(ids[0]?.slice(4) ?? '')).toBeGreaterThanOrEqual(before);
});

test('an id names its entity', () => {
  for (const name of entityNames) {
    const id = newId(name);
    expect(entityOfId(id)).toBe(name);
    expect(isId(id)).toBe(true);
    expect(isId(id, name)).toBe(true);
    expect(isId(id, name === 'task' ? 'project' : 'task')).toBe(false);
  }
});

test.each([
  [
    '',
    'cus_',
    'cus-01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'cus_01arz3ndektsv4rrffq69g5fav',
    'cus_81ARZ3NDEKTSV4RRFFQ69G5FAV',
  ],
  [
    'xyz_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'cus_01ARZ3NDEKTSV4RRFFQ69G5FAVX',
    'cus_01ARZ3NDEKTSV4RRFFQ69G5FIL',
    42,
    null,
  ],
])('%p, %p, %p, %p and %p are no ids', (...values) => {
  for (const value of values) expect(isId(value)).toBe(false);
});

describe('derived ids', () => {
  const parent = 'ctr_01ARZ3NDEKTSV4RRFFQ69G5FAV';

  test('are the same for ever', () => {
    expect(deriveId('task', parent, '1')).toBe(deriveId('task', parent, '1'));
    expect(deriveId('task', parent, '1')).toBe('tsk_01ARZ3NDEK77SH10GKQANG97DH');
  });

  test('hold the time of the parent and the first 80 bits of the digest', () => {
    fc.assert(
      fc.property(entity, entity, fc.string(), (parentEntity, child, discriminator) => {
        const parentId = newId(parentEntity);
        const id = deriveId(child, parentId, discriminator);
        expect(isId(id, child)).toBe(true);
        expect(id.slice(4, 14)).toBe(parentId.slice(4, 14));

        const digest = createHash('sha256').update(`${parentId}|${child}|${discriminator}`).digest();
        const bits = [...digest.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        const expected = (bits.match(/.{5}/g) ?? []).map(
          (group) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[Number.parseInt(group, 2)],
        );
        expect(id.slice(14)).toBe(expected.join(''));
      }),
    );
  });

  test('differ by entity, parent and discriminator', () => {
    const ids = [
      deriveId('task', parent, '1'),
      deriveId('task', parent, '2'),
      deriveId('milestone', parent, '1'),
      deriveId('task', 'ctr_01ARZ3NDEKTSV4RRFFQ69G5FAW', '1'),
    ];
    expect(new Set(ids.map((id) => id.slice(4))).size).toBe(ids.length);
  });

  test('need a parent id', () => {
    expect(() => deriveId('task', '4711', '1')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
  });
});
