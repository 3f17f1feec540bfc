import { stories, workspaces } from '../../../../lib/systems/kantata/collections';
import { envelopeOf } from '../../../../lib/systems/kantata/envelope';

const reference = {
  id: '7',
  service_name: 'q2c',
  service_model: 'Task',
  service_model_ref: 'tsk_1',
  status: 'successful',
};

const reply = {
  count: 41,
  meta: { count: 41, page_count: 3, page_number: 1, page_size: 20 },
  results: [
    { key: 'stories', id: '11' },
    { key: 'stories', id: '10' },
  ],
  stories: {
    '10': { id: '10', title: 'Plan', updated_at: '2026-01-02T10:00:00-08:00', external_reference_ids: ['7'] },
    '11': { id: '11', title: 'Build' },
    '99': { id: '99', title: 'a sub-task that was side-loaded' },
  },
  external_references: { '7': reference },
};

describe('the envelope', () => {
  it('gives the rows that results name, in that order, with their references', () => {
    const page = envelopeOf(stories).parse(reply);
    expect(page).toMatchObject({ count: 41, pageCount: 3 });
    expect(
      page.rows.map(({ id, references }) => [id, references.map((each) => each.service_model_ref)]),
    ).toEqual([
      ['11', []],
      ['10', ['tsk_1']],
    ]);
  });

  it('takes an answer without meta for the only page', () => {
    expect(envelopeOf(workspaces).parse({ count: 0, results: [] })).toEqual({
      rows: [],
      count: 0,
      pageCount: 1,
    });
  });

  it('leaves out what belongs to another collection', () => {
    expect(envelopeOf(workspaces).parse(reply).rows).toEqual([]);
  });

  it.each([
    ['no object', []],
    ['text', 'OK'],
    ['nothing', null],
    ['without results', { count: 1, stories: {} }],
    ['a result without its object', { count: 1, results: [{ key: 'stories', id: '5' }], stories: {} }],
    [
      'an object without id',
      { count: 1, results: [{ key: 'stories', id: '5' }], stories: { '5': { title: 'x' } } },
    ],
    ['a number as id', { count: 1, results: [{ key: 'stories', id: 5 }], stories: {} }],
    ['a reference that was not side-loaded', { ...reply, external_references: {} }],
  ])('refuses %s', (_name, body) => {
    expect(envelopeOf(stories).safeParse(body).success).toBe(false);
  });
});
