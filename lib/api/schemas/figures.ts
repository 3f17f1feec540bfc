import * as z from 'zod';
import { workLists } from '../../observe';
import { component } from '../route';
import { instant, pageOf, runState } from './common';

/** Replies about work lists and open cases by process. */

export const openException = component(
  'OpenExceptions',
  z.object({
    code: z.string(),
    ownerRole: z.string(),
    system: z.string(),
    legalEntity: z.string(),
    count: z.number(),
    oldestAt: instant,
    atRisk: z.record(z.string(), z.string()).meta({ description: 'Amounts by currency' }),
  }),
);

export const workListCount = component(
  'WorkListCount',
  z.object({ list: z.enum(workLists), total: z.number() }),
);

export const workListPage = component(
  'WorkList',
  pageOf(z.object({ correlationId: z.string(), title: z.string(), since: instant, state: runState })).extend({
    total: z.number().meta({ description: 'Deals on the list, over all pages' }),
  }),
);
