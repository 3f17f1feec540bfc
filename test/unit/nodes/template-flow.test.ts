import flow from '../../../flows/closed-won-to-project.json';
import shipped from '../../../nodes/q2c-firm/default-firm.json';

test('the template flow carries the set-up that is shipped with the node', () => {
  const firms = flow.filter(({ type }) => type === 'q2c-firm');
  expect(firms.map(({ data = '' }) => JSON.parse(data))).toEqual([shipped]);
});
