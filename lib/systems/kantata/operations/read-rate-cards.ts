import { addDays } from '../../../model';
import { decimalOf, defineOperation, SystemError } from '../../kit';
import type { KantataClient } from '../client';
import { rateCardRoles, rateCardSetVersions, rateCards, rateCardVersions } from '../collections';

/** What an hour of a role costs by a rate card, from a day on. */
export interface RateRow {
  [field: string]: string | null;
  /** Kantata's id of the card. */
  rateCard: string;
  /** Kantata's id of the role; null for every role that the card does not name. */
  role: string | null;
  /** Decimal. */
  amount: string;
  currency: string;
  unit: 'hour';
  validFrom: string;
  /** The day before the next version takes effect; null for the last one. */
  validTo: string | null;
}

/** What all rate cards are read as: they belong to no record of a deal. */
const ALL_CARDS = 'rate_cards';

/**
 * The rates of all rate cards, with the days on which they are valid. Cards are kept in sets; a version of the set says from when
 * its cards' versions are valid.
 */
export const readRateCards = defineOperation({
  entity: 'rateCard',
  verb: 'read',
  recordType: rateCards.type,
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: () => [{ id: ALL_CARDS }],

  toSystem: () => ({}),

  async call(client: KantataClient, _wire, { signal }): Promise<RateRow[]> {
    const [cards, setVersions, versions, roles] = await Promise.all([
      client.list(rateCards, { include: 'rate_card_set' }, signal),
      client.list(rateCardSetVersions, { include: 'rate_card_set' }, signal),
      client.list(rateCardVersions, { include: 'rate_card,rate_card_set_version' }, signal),
      client.list(rateCardRoles, { include: 'role,rate_card_version' }, signal),
    ]);
    return versions.flatMap((version) => {
      const card = cards.find(({ id }) => id === version.rate_card_id);
      const setVersion = setVersions.find(({ id }) => id === version.rate_card_set_version_id);
      // A card or set that was deleted between the calls.
      if (card === undefined || setVersion === undefined) return [];
      const later = setVersions
        .filter(({ rate_card_set_id }) => rate_card_set_id === setVersion.rate_card_set_id)
        .map(({ effective_date }) => effective_date)
        .filter((date) => date > setVersion.effective_date);
      const valid = {
        rateCard: card.id,
        currency: card.currency,
        unit: 'hour' as const,
        validFrom: setVersion.effective_date,
        validTo: later.length === 0 ? null : addDays(later.sort()[0] ?? '', -1),
      };
      const named = roles.filter(({ rate_card_version_id }) => rate_card_version_id === version.id);
      return [
        ...named.map(({ role_id, rate }) => ({ ...valid, role: role_id, amount: amountOf(rate, client) })),
        { ...valid, role: null, amount: amountOf(version.default_rate, client) },
      ];
    });
  },

  fromSystem: (rows) => ({ refs: [], rows, evidence: { rates: rows.length } }),
});

function amountOf(rate: number | string, { system }: KantataClient): string {
  const amount = decimalOf(rate);
  if (amount !== undefined) return amount;
  throw new SystemError({
    system,
    kind: 'rejected',
    code: 'SCHEMA_CHANGED',
    reason: 'a rate of a rate card is not an amount',
  });
}
