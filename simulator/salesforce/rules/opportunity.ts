import type { SimRecord } from '../../kit/types';
import { stageNamed } from '../computed';
import { formatDatetime } from '../dates';
import { saveError } from '../errors';
import type { Org } from '../org';
import { objectNamed } from '../schema';
import type { Data } from '../validation';
import type { ObjectRules } from './types';

export const opportunityRules: ObjectRules = {
  beforeInsert(_org, data, given) {
    takeStageDefaults(data, given);
  },
  beforeUpdate(org, before, data, changes) {
    if ('StageName' in changes && changes.StageName !== before.data.StageName) {
      takeStageDefaults(data, changes);
      data.LastStageChangeDate = formatDatetime(org.context.now());
    }
    if (org.children('OpportunityLineItem', 'OpportunityId', before.id).length > 0)
      keepWhatLinesRule(org, before, data, changes);
  },
  afterInsert(org, record, given) {
    if (typeof given.ContactId !== 'string') return;
    const role = { OpportunityId: record.id, ContactId: given.ContactId, IsPrimary: true };
    org.create(objectNamed('OpportunityContactRole'), role);
  },
};

/** A stage brings its probability and forecast category, unless the caller names them in the same save. */
function takeStageDefaults(data: Data, given: Data): void {
  const stage = stageNamed(data.StageName);
  if (!('Probability' in given)) data.Probability = stage?.probability ?? 0;
  if (!('ForecastCategoryName' in given)) data.ForecastCategoryName = stage?.forecast ?? 'Pipeline';
}

/**
 * With line items, the price book and currency are fixed and a sent Amount is ignored, since it is their roll-up.
 * A person at the screens may overwrite Amount: orgs that allow it end up with deals whose lines do not add up, and
 * tests need one. It stays until a line changes.
 */
function keepWhatLinesRule(org: Org, before: SimRecord, data: Data, changes: Data): void {
  for (const name of ['Pricebook2Id', 'CurrencyIsoCode']) {
    if (name in changes && changes[name] !== before.data[name]) {
      const message = `field integrity exception: ${name} (cannot be changed while the opportunity has products)`;
      throw saveError('FIELD_INTEGRITY_EXCEPTION', message, [name]);
    }
  }
  if (!org.actor.isPerson && typeof before.data.Amount === 'number') data.Amount = before.data.Amount;
}

export const opportunityContactRoleRules: ObjectRules = {
  /** One primary contact per opportunity: a new one replaces the old. */
  afterChange(org, record) {
    if (!record.data.IsPrimary || record.deleted) return;
    for (const other of org.children(
      'OpportunityContactRole',
      'OpportunityId',
      String(record.data.OpportunityId),
    )) {
      if (other.id !== record.id && other.data.IsPrimary) org.write(other, { IsPrimary: false });
    }
  },
};
