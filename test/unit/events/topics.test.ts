import { sharedFilter, topicFilter, topicOf } from '../../../lib/events/topics';
import { businessEventTypes, newId } from '../../../lib/model';

test('a topic names tenant, entity, fact and record, without the version', () => {
  const id = newId('project');
  expect(topicOf('main', 'q2c.project.provisioned.v1', id)).toBe(`q2c/main/project/provisioned/${id}`);
});

test('every type has topics of its own, which its filter and the filter for all match', () => {
  const id = newId('customer');
  const topics = businessEventTypes.map((type) => topicOf('main', type, id));
  expect(new Set(topics).size).toBe(businessEventTypes.length);
  for (const type of businessEventTypes) {
    const matching = new RegExp(`^${topicFilter('main', type).replace('+', '[^/]+')}$`);
    expect(topics.filter((topic) => matching.test(topic))).toEqual([topicOf('main', type, id)]);
  }
  expect(topicFilter('main')).toBe('q2c/main/#');
});

test('a group that MQTT does not allow is refused', () => {
  expect(sharedFilter('hosts', 'q2c/main/#')).toBe('$share/hosts/q2c/main/#');
  for (const group of ['', 'a/b', 'a+', '#']) {
    expect(() => sharedFilter(group, 'q2c/#')).toThrow(
      expect.objectContaining({ code: 'CONNECTION_INVALID' }),
    );
  }
});
