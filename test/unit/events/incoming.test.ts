import fc from 'fast-check';
import { type EventMessage, toMessage } from '../../../lib/events/cloudevents';
import { readBusinessEvent } from '../../../lib/events/incoming';
import { type BusinessEvent, businessEvent, newId } from '../../../lib/model';
import { provisioned } from '../../support/events';

const NOW = '2026-02-03T04:05:06.789Z';
const event = provisioned();

const read = (message: Partial<EventMessage>) =>
  readBusinessEvent({ topic: 'q2c/main/project/provisioned/x', payload: Buffer.alloc(0), ...message }, NOW);

const structured = (changes: Record<string, unknown>) =>
  read({ payload: Buffer.from(JSON.stringify({ ...event, ...changes })) });

describe('what we publish', () => {
  test('is a structured CloudEvent with its attributes beside it', () => {
    const { contentType, attributes, payload } = toMessage(event, 'topic');
    expect(contentType).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(payload.toString())).toEqual(event);
    expect(attributes).toMatchObject({
      specversion: '1.0',
      id: event.id,
      type: event.type,
      subject: event.subject,
    });
    expect(attributes).not.toHaveProperty('data');
    expect(Object.values(attributes ?? {}).every((value) => typeof value === 'string')).toBe(true);
  });

  test('is read as what it was, but for the time of recording', () => {
    const incoming = readBusinessEvent(toMessage(event, 'topic'), NOW);
    expect(incoming).toEqual({ event: { ...event, recordedtime: NOW } });
  });
});

describe('what others publish', () => {
  test('is completed where CloudEvents leaves it to them', () => {
    const { specversion, id, source, type, subject, data } = event;
    const minimal = { specversion, id, source, type, subject, data };
    expect(read({ payload: Buffer.from(JSON.stringify(minimal)) })).toEqual({
      event: {
        ...minimal,
        time: NOW,
        recordedtime: NOW,
        dataschema: `urn:q2c:schema:${type}`,
        datacontenttype: 'application/json',
        correlationid: subject,
        partitionkey: subject,
        dataclassification: 'confidential',
      },
    });
  });

  test('may be in binary mode, and in another time zone', () => {
    const { specversion, id, source, type, subject, data } = event;
    const incoming = read({
      contentType: 'application/json',
      attributes: { specversion, id, source, type, subject, time: '2026-01-01T01:00:00+02:00' },
      payload: Buffer.from(JSON.stringify(data)),
    });
    expect(incoming).toMatchObject({ event: { id, data, time: '2025-12-31T23:00:00.000Z' } });
  });

  test('of a posting is ordered by the document it is about', () => {
    const invoice = newId('invoice');
    const ack = { id: newId('postingAck'), externalRefs: [], subjectId: invoice };
    const posting = businessEvent('q2c.posting.confirmed.v1', {
      tenant: 'main',
      component: 'flow',
      correlationId: invoice,
      data: { postingAck: ack, changed: [] },
    });
    const { partitionkey: _, ...sent } = posting;
    expect(read({ payload: Buffer.from(JSON.stringify(sent)) })).toMatchObject({
      event: { subject: ack.id, partitionkey: invoice },
    });
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['of another specification', { specversion: '0.3' }, /^specversion/],
    ['without id', { id: '' }, /^id/],
    ['with control characters', { id: 'a\u0000b' }, /^id: holds control characters/],
    [
      'of a type we do not know',
      { type: 'com.example.thing.v1' },
      /^type: is not one of the business events/,
    ],
    ['of a type that only looks like one', { type: 'toString' }, /^type/],
    ['about something without canonical id', { subject: '4711' }, /^subject: is not a canonical id/],
    [
      'about another record than its data',
      { subject: newId('project') },
      /^subject is not data\.project\.id/,
    ],
    ['whose data lacks the record', { data: { changed: [] } }, /^data\.project/],
    ['whose data is a list', { data: [] }, /^data/],
    ['with data that is not JSON', { datacontenttype: 'application/xml' }, /^datacontenttype: is not JSON/],
    ['with a time that is none', { time: 'yesterday' }, /^time/],
  ])('is refused with the reason: %s', (_, changes, reason) => {
    expect(structured(changes)).toEqual({
      refused: expect.objectContaining({ reason: expect.stringMatching(reason) }),
    });
  });

  test('is refused when it is no event at all', () => {
    const reasonOf = (payload: Buffer | string, contentType?: string) => {
      const incoming = read({
        payload: Buffer.from(payload as string),
        ...(contentType ? { contentType } : {}),
      });
      return 'refused' in incoming ? incoming.refused.reason : null;
    };
    expect(reasonOf('')).toMatch(/not JSON/);
    expect(reasonOf('{')).toMatch(/not JSON/);
    expect(reasonOf(Buffer.from([0xff, 0xfe]))).toMatch(/UTF-8/);
    expect(reasonOf('[]')).toMatch(/not the JSON object/);
    expect(reasonOf('null')).toMatch(/not the JSON object/);
    expect(reasonOf('[]', 'application/cloudevents-batch+json')).toMatch(/batch/);
    expect(reasonOf(`"${'x'.repeat(70_000)}"`)).toMatch(/70002 bytes, at most 65536/);
  });

  test('says in the refusal what could be read', () => {
    expect(structured({ data: {} })).toEqual({
      refused: { reason: expect.any(String), source: event.source, id: event.id, type: event.type },
    });
  });

  test('never throws, whatever it holds', () => {
    const changed = fc.dictionary(fc.constantFrom(...Object.keys(event)), fc.jsonValue());
    fc.assert(
      fc.property(changed, (changes) => {
        const incoming = structured(changes);
        if ('event' in incoming) expect(isComplete(incoming.event)).toBe(true);
        else expect(incoming.refused.reason).not.toBe('');
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(read({ payload: Buffer.from(bytes) })).toHaveProperty('refused');
      }),
    );
  });
});

const isComplete = ({ id, source, subject, partitionkey, correlationid, time }: BusinessEvent): boolean =>
  [id, source, subject, partitionkey, correlationid, time].every(
    (value) => typeof value === 'string' && value !== '',
  );
