import { correctedDeal } from '../../lib/engine';
import { type DealDocument, MASK } from '../../lib/model';
import { checkReadiness, type Firm, planDeal } from '../../lib/rules';
import { open, type Store } from '../../lib/store';
import { mergeResults } from '../_shared/merge-result';
import type { RecentDeal } from './replies';

/** Deals that went through this host, to try a mapping on. */

/** The latest runs, the latest first. */
export function recentDeals({ db }: Store, limit: number): Promise<RecentDeal[]> {
  return db
    .selectFrom('run')
    .select(['id as run', 'title', 'created_at as createdAt'])
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute();
}

/**
 * The deal of a run as a mapping behind the plan sees it: as it was read and corrected, checked and planned anew by the firm's set-up
 * as far as that goes.
 * @returns null when no step of the run has read a deal
 */
export async function dealOfRun({ db }: Store, run: string, firm: Firm | null): Promise<DealDocument | null> {
  const steps = await db
    .selectFrom('step')
    .select(['key', 'result'])
    .where('run_id', '=', run)
    .where('state', '=', 'confirmed')
    .where('operation', '=', 'deal.read')
    .orderBy('seq')
    .execute();
  const read = steps.reduce<DealDocument>((before, step) => {
    const result = open(db, 'step', 'result', step);
    return result === null ? before : mergeResults(before, [JSON.parse(result)]);
  }, {});
  if (Object.keys(read).length === 0) return null;
  const deal = await correctedDeal(db, run, read);
  const readiness = firm === null ? null : checkReadiness(deal, firm);
  return firm !== null && readiness?.ready ? planDeal(readiness.deal, firm) : deal;
}

/**
 * A deal without tax numbers and without what identifies a person (guides §13). It is masked before a mapping sees it,
 * so no expression can bring back what was taken out.
 */
export function maskedDeal(deal: DealDocument): DealDocument {
  const { customer, contacts } = deal;
  return {
    ...deal,
    ...(customer?.taxProfile?.registrationNumber === undefined
      ? {}
      : { customer: { ...customer, taxProfile: { ...customer.taxProfile, registrationNumber: MASK } } }),
    ...(contacts === undefined
      ? {}
      : {
          contacts: contacts.map((contact) => ({
            ...contact,
            ...Object.fromEntries(
              (['name', 'firstName', 'lastName', 'email', 'phone'] as const)
                .filter((field) => contact[field] !== undefined)
                .map((field) => [field, MASK]),
            ),
          })),
        }),
  };
}
