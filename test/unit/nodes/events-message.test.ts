import type { DispatchedRun } from '../../../lib/engine';
import { deriveId, newId } from '../../../lib/model';
import type { EventSource, Reference, SourceEvent } from '../../../lib/systems/kit';
import { intakeEvents, messageOf, type RecordEvent } from '../../../nodes/_system/events/message';

const client = { system: 'psa', instance: 'main' };
const base = newId('project');
const idOf = ({ entity, type, id }: Reference) => deriveId(entity, base, `${type} ${id}`);

let asked: Reference[][];
const engine = {
  identify: async (_system: string, _instance: string, references: readonly Reference[]) => {
    asked.push([...references]);
    return references.map(idOf);
  },
};
beforeEach(() => {
  asked = [];
});

const project: Reference = { entity: 'project', type: 'Workspace', id: '10' };
const task: Reference = { entity: 'task', type: 'Story', id: '10' };
const person: Reference = { entity: 'resource', type: 'User', id: '5' };

const timeApproved = (id: string, more: Partial<SourceEvent> = {}): SourceEvent => ({
  id: `${id}:x`,
  type: 'q2c.time.approved.v1',
  time: '2026-01-02T10:00:00.000Z',
  subject: { entity: 'timeEntry', type: 'TimeEntry', id },
  data: { hours: '1.5' },
  ...more,
});

/** The run that the engine makes of an accepted event. */
function runOf({ subject, title, ...event }: RecordEvent): DispatchedRun {
  const id = idOf(subject);
  return {
    id: 'run_1',
    attempt: 1,
    correlationId: id,
    orderingKey: id,
    sourceNode: 'source',
    dispatch: 1,
    catchUp: false,
    title,
    event: { ...event, source: '/q2c/test', subject: id },
  };
}

test('a record stands in the part of the deal document that holds its entity', async () => {
  const [event] = await intakeEvents(engine, client, {}, [timeApproved('1')]);
  if (!event) throw new Error('no event');
  const message = messageOf(runOf(event));
  const id = idOf(event.subject);
  expect(message).toEqual({
    topic: 'q2c.time.approved.v1',
    payload: {
      timeEntries: [
        {
          id,
          hours: '1.5',
          externalRefs: [{ system: 'psa', instance: 'main', type: 'TimeEntry', id: '1', role: 'master' }],
        },
      ],
    },
    q2c: {
      run: 'run_1',
      dispatch: 1,
      correlationId: id,
      event: {
        id: '1:x',
        type: 'q2c.time.approved.v1',
        time: '2026-01-02T10:00:00.000Z',
        source: '/q2c/test',
        subject: id,
      },
    },
  });
  expect(asked).toEqual([]);
});

test('an event about one of its kind is no list', async () => {
  const won = timeApproved('006', {
    type: 'q2c.opportunity.won.v1',
    subject: { entity: 'opportunity', type: 'Opportunity', id: '006' },
    data: { name: 'ERP rollout' },
  });
  const [event] = await intakeEvents(engine, client, {}, [won]);
  if (!event) throw new Error('no event');
  expect(event.title).toBe('ERP rollout');
  expect(messageOf(runOf(event)).payload).toMatchObject({ opportunity: { name: 'ERP rollout' } });
});

test('the records that events name are identified once, linked, and part of the message', async () => {
  const link: EventSource['link'] = (record, id) => ({
    projectId: id('project', 'Workspace', String(record)),
    resourceId: id('resource', 'User', '5'),
  });
  const events = await intakeEvents(engine, client, { link }, [
    timeApproved('1', { references: [project, task, person], record: '10' }),
    timeApproved('2', { references: [project, person], record: '10' }),
  ]);
  expect(asked).toEqual([[project, task, person]]);
  const [first, second] = events.map((event) => messageOf(runOf(event)).payload);
  const known = { projectId: idOf(project), resourceId: idOf(person) };
  const ref = (type: string, id: string) => ({ system: 'psa', instance: 'main', type, id, role: 'copy' });
  expect(first).toEqual({
    timeEntries: [expect.objectContaining(known)],
    project: { id: idOf(project), externalRefs: [ref('Workspace', '10')] },
    tasks: [{ id: idOf(task), externalRefs: [ref('Story', '10')] }],
  });
  expect(second).toEqual({
    timeEntries: [expect.objectContaining(known)],
    project: { id: idOf(project), externalRefs: [ref('Workspace', '10')] },
  });
});

test('a link to a record that was not named is a mistake of the source', async () => {
  const link: EventSource['link'] = (_, id) => ({ projectId: id('project', 'Workspace', '11') });
  await expect(intakeEvents(engine, client, { link }, [timeApproved('1')])).rejects.toMatchObject({
    code: 'SCHEMA_CHANGED',
  });
});

test('a message that catches up says so', async () => {
  const [event] = await intakeEvents(engine, client, {}, [timeApproved('1')]);
  if (!event) throw new Error('no event');
  expect(messageOf({ ...runOf(event), catchUp: true }).q2c).toMatchObject({ catchUp: true });
});
