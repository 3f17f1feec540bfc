import * as z from 'zod';
import { component } from '../route';
import { instant, money, runState } from './common';
import { correctionView } from './corrections';
import { caseSummary, refSummary, runSummary, waitSummary } from './runs';

/** Replies about deals: the thread of runs, records and cases of one correlation id. */

export const dealSummary = component(
  'DealSummary',
  z.object({
    id: z.string().meta({ description: 'Correlation id of its thread' }),
    title: z.string(),
    state: runState.meta({ description: 'Of its latest run' }),
    runs: z.number(),
    openCases: z.number(),
    ownerRoles: z.array(z.string()).meta({ description: 'Who owns its open cases' }),
    amountAtRisk: money.nullable(),
    startedAt: instant,
    updatedAt: instant,
    matched: z
      .object({
        by: z.enum(['name', 'number', 'external_id', 'id']),
        value: z.string(),
        system: z.string().nullable(),
      })
      .nullable()
      .meta({ description: 'Of a search: what it was found by' }),
  }),
);
export type DealSummary = z.infer<typeof dealSummary>;

const entityState = z.enum(['confirmed', 'in_progress', 'failed', 'skipped', 'undone']);

export const dealEntity = component(
  'DealEntity',
  z.object({
    canonicalId: z.string(),
    entity: z.string(),
    refs: z.array(refSummary),
    systems: z
      .array(
        z.object({
          system: z.string(),
          operation: z.string(),
          state: entityState,
          at: instant,
          stepKey: z.string(),
        }),
      )
      .meta({ description: 'The latest write to each system' }),
  }),
);
export type DealEntity = z.infer<typeof dealEntity>;

export const timelineEntry = component(
  'TimelineEntry',
  z.object({
    at: instant,
    kind: z.enum([
      'event_received',
      'run_started',
      'run_ended',
      'step',
      'case_opened',
      'case_changed',
      'wait_began',
      'wait_ended',
      'decision',
    ]),
    runId: z.string().nullable(),
    system: z.string().nullable(),
    subject: z.string().meta({ description: 'What it is about: a step, a case, a record or an event' }),
    what: z.string().meta({ description: 'Operation, event type, case code or new state' }),
    state: z.string().nullable(),
    actor: z.string().nullable(),
    message: z.string().nullable(),
    durationMs: z.number().nullable(),
  }),
);
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const waitsFor = component(
  'WaitsFor',
  z.object({
    kind: z.enum(['person', 'event', 'retry', 'turn']),
    who: z.string().nullable().meta({ description: 'Role, for a person' }),
    what: z.string(),
    since: instant,
    until: instant.nullable(),
    caseId: z.string().nullable(),
    runId: z.string(),
  }),
);
export type WaitsFor = z.infer<typeof waitsFor>;

export const dealReport = component(
  'DealReport',
  z.object({
    id: z.string(),
    title: z.string(),
    state: runState,
    runs: z.array(runSummary),
    entities: z.array(dealEntity),
    cases: z.array(caseSummary),
    waits: z.array(waitSummary),
    waitsFor: z.array(waitsFor).meta({ description: 'What has to happen before it goes on' }),
    corrections: z.array(correctionView),
    timeline: z.array(timelineEntry).meta({ description: 'Oldest first' }),
  }),
);
export type DealReport = z.infer<typeof dealReport>;

export const dealPage = component(
  'DealPage',
  z.object({
    items: z.array(dealSummary),
    next: z.string().nullable(),
    isComplete: z
      .boolean()
      .meta({ description: 'False while the newest or oldest deals are still being taken into the index' }),
  }),
);
