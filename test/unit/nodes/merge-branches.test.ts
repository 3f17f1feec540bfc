import fc from 'fast-check';
import { BranchConflict, mergeBranches } from '../../../nodes/_shared/merge-branches';

const ref = (system: string, id: string, type = 'job') => ({ system, instance: 'main', type, id });
const base = {
  customer: { id: 'cus_1', number: 'C-1', externalRefs: [ref('crm', '1', 'Account')] },
  tasks: [
    { id: 'tsk_1', name: 'Design', externalRefs: [] },
    { id: 'tsk_2', name: 'Build', externalRefs: [] },
  ],
};
const copy = () => structuredClone(base);

test('what one branch adds or changes is taken; what none touches stays', () => {
  const erp = copy();
  erp.customer.number = 'C-77';
  erp.customer.externalRefs.push(ref('erp', '10', 'customer'));
  const psa = { ...copy(), project: { id: 'prj_1' } };
  expect(mergeBranches(base, [erp, psa])).toEqual({ ...erp, project: { id: 'prj_1' } });
  expect(mergeBranches(base, [psa, erp])).toEqual({ ...erp, project: { id: 'prj_1' } });
});

test('records of a list are merged by id and keep their order; cross-references of both stay', () => {
  const erp = copy();
  for (const task of erp.tasks) Object.assign(task, { externalRefs: [ref('erp', `e${task.id}`)] });
  const psa = copy();
  for (const task of psa.tasks) Object.assign(task, { externalRefs: [ref('psa', `p${task.id}`)] });
  psa.tasks.push({ id: 'tsk_3', name: 'Extra', externalRefs: [] });
  const merged = mergeBranches(base, [erp, psa]);
  expect(merged).toMatchObject({
    tasks: [
      { id: 'tsk_1', externalRefs: [ref('erp', 'etsk_1'), ref('psa', 'ptsk_1')] },
      { id: 'tsk_2', externalRefs: [ref('erp', 'etsk_2'), ref('psa', 'ptsk_2')] },
      { id: 'tsk_3' },
    ],
  });
});

test('a decimal is the same with and without the zeros that end it', () => {
  const amount = (text: string) => ({ amount: text });
  expect(mergeBranches(amount('1.5'), [amount('1.50'), amount('1.5')])).toEqual(amount('1.5'));
  expect(mergeBranches(amount('1'), [amount('2.50'), amount('2.5')])).toEqual(amount('2.50'));
});

test('two branches of three may agree on a change; what the third says of the same is a conflict', () => {
  const [one, same, other] = ['C-2', 'C-2', 'C-3'].map((number) => ({ ...copy(), number }));
  expect(mergeBranches(base, [one, copy(), same])).toEqual(one);
  expect(() => mergeBranches(base, [one, same, other])).toThrow(new BranchConflict('number'));
});

test('a field that the second branch has taken away is not there, not even undefined', () => {
  const merged = mergeBranches({ a: 1, b: 2 }, [{ a: 1, b: 2, c: 3 }, { a: 1 }]);
  expect(Object.keys(merged as object)).toEqual(['a', 'c']);
});

test('what a branch has taken away is gone', () => {
  const without = { customer: base.customer, tasks: base.tasks.slice(1) };
  expect(mergeBranches(base, [without, copy()])).toEqual(without);
});

test.each([
  [
    'a field',
    (deal: typeof base, branch: string) => Object.assign(deal.customer, { number: branch }),
    'customer.number',
  ],
  [
    'a cross-reference',
    (deal: typeof base, branch: string) => deal.customer.externalRefs.push(ref('erp', branch, 'customer')),
    'customer.externalRefs[erp main customer].id',
  ],
  [
    'a field of a record in a list',
    (deal: typeof base, branch: string) => Object.assign(deal.tasks[1] ?? {}, { name: branch }),
    'tasks[tsk_2].name',
  ],
])('%s that two branches set differently is a conflict, told without its values', (_, change, place) => {
  const [one, other] = [copy(), copy()];
  change(one, 'secret one');
  change(other, 'secret other');
  const merge = () => mergeBranches(base, [one, other]);
  expect(merge).toThrow(BranchConflict);
  expect(merge).toThrow(new BranchConflict(place));
  expect(mergeBranches(base, [one, structuredClone(one)])).toEqual(one);
});

test('without what was before, what all have the same or only one has is taken', () => {
  const one = { ...copy(), project: { id: 'prj_1' } };
  expect(mergeBranches(undefined, [one, copy()])).toEqual(one);
  const changed = { ...copy(), customer: { ...base.customer, number: 'C-2' } };
  expect(() => mergeBranches(undefined, [one, changed])).toThrow(new BranchConflict('customer.number'));
});

test('a field may have any name', () => {
  const one = { odd: JSON.parse('{"__proto__": {"a": 1}}') };
  const other = { odd: JSON.parse('{"constructor": 2}') };
  expect(JSON.stringify(mergeBranches({ odd: {} }, [one, other]))).toBe(
    '{"odd":{"__proto__":{"a":1},"constructor":2}}',
  );
});

test('changes of different fields are all there, whatever the order of the branches', () => {
  const fields = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.jsonValue(), { maxKeys: 6 });
  const changes = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.jsonValue(), fc.nat(2)),
  );
  fc.assert(
    fc.property(fields, changes, (before, list) => {
      const own = new Map(list.map(([field, value, branch]) => [field, { value, branch }]));
      const branches = [0, 1, 2].map((branch) => {
        const mine = [...own].filter(([, change]) => change.branch === branch);
        return {
          ...structuredClone(before),
          ...Object.fromEntries(mine.map(([field, { value }]) => [field, value])),
        };
      });
      const all = { ...before, ...Object.fromEntries([...own].map(([field, { value }]) => [field, value])) };
      expect(mergeBranches(before, branches)).toEqual(all);
      expect(mergeBranches(before, branches.toReversed())).toEqual(all);
    }),
  );
});
