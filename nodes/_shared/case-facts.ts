import type { CaseFacts, CaseSubject } from '../../lib/engine';
import { policyVersion } from '../../lib/governance';
import { type DealDocument, personNames } from '../../lib/model';
import { type Firm, sellingEntity } from '../../lib/rules';

/** What the firm's policy routes a case about the deal by, and whom its message may name. */
export function caseFacts(
  deal: DealDocument,
  firm: Firm | null,
  about: Pick<CaseFacts, 'system' | 'entity'> = {},
): Pick<CaseSubject, 'facts' | 'personal'> {
  const { opportunity, contract, customer } = deal;
  const { region, serviceLine } = opportunity ?? {};
  const sold = contract?.legalEntityId ?? opportunity?.legalEntityId;
  const place = { region, serviceLine, country: customer?.country };
  const legalEntity =
    firm?.legalEntities.find(({ id }) => id === sold) ??
    (firm === null || region === undefined ? undefined : sellingEntity(firm, place));
  return {
    facts: {
      ...about,
      ...(firm?.casePolicy === undefined ? {} : { policy: policyVersion(firm.casePolicy) }),
      ...(legalEntity === undefined ? {} : { legalEntity: legalEntity.key }),
      ...(region === undefined ? {} : { region }),
    },
    personal: () => personNames(deal),
  };
}
