import '../_shared/extensions';
import { Mapping, parseMapping, unmappedFields } from '../../lib/mapping';
import { type DealDocument, Q2cError } from '../../lib/model';
import type { Firm } from '../../lib/rules';
import { legalEntityKeyIn } from '../_shared/mapping-node';
import type { PreviewReply } from './replies';
import { partsOf, stages } from './types';

/** Tries a mapping set as it stands in the form. */

export interface PreviewRequest {
  /** The mapping set as it stands in the form. */
  data: string;
  stage: string;
  /** Run whose deal is taken; absent = the sample. */
  run?: string;
  /** Id or key of the legal entity for which it is tried; absent = the deal's own. */
  legalEntity?: string;
}

/** @throws Q2cError `VALUE_INVALID` for anything else */
export function previewRequest(body: unknown): PreviewRequest {
  const { data, stage, run, legalEntity } = (body ?? {}) as Record<string, unknown>;
  const known = stages.find((each) => each === stage);
  if (typeof data !== 'string' || known === undefined) {
    throw new Q2cError('VALUE_INVALID', `A preview needs "data", and a "stage" of ${stages.join(', ')}.`);
  }
  return {
    data,
    stage: known,
    ...(typeof run === 'string' ? { run } : {}),
    ...(typeof legalEntity === 'string' ? { legalEntity } : {}),
  };
}

export async function preview(
  { data, stage, legalEntity }: PreviewRequest,
  deal: DealDocument,
  firm: Firm | null,
): Promise<PreviewReply> {
  const { system, direction } = partsOf(stage);
  try {
    const set = parseMapping(data);
    const mapping = new Mapping(set);
    const sold = legalEntity === undefined ? deal : soldBy(deal, legalEntity, firm);
    const mapped = await mapping.map({
      deal: sold,
      system,
      direction,
      legalEntityKey: (id) => legalEntityKeyIn(firm)(id) ?? (id === legalEntity ? id : undefined),
      ...(firm === null ? {} : { firmTables: firm.lookups[system] ?? {} }),
    });
    return {
      version: mapping.version,
      invalid: null,
      values: mapped.values,
      problems: mapped.problems,
      unmapped: direction === 'read' ? unmappedFields(set, system) : [],
    };
  } catch (error) {
    if (!(error instanceof Q2cError)) throw error;
    return { version: null, invalid: error.message, values: [], problems: [], unmapped: [] };
  }
}

/** The deal as another legal entity would sell it. */
function soldBy(deal: DealDocument, legalEntity: string, firm: Firm | null): DealDocument {
  const id = firm?.legalEntities.find(({ key }) => key === legalEntity)?.id ?? legalEntity;
  const { contract, customer } = deal;
  return {
    ...deal,
    ...(contract && { contract: { ...contract, legalEntityId: id } }),
    ...(customer && { customer: { ...customer, legalEntityId: id } }),
  };
}
