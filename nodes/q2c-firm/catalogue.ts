import { entityNames, exceptionCodes, roles } from '../../lib/model';
import { defaultCasePolicy, gatedActions } from '../../lib/rules';
import { manifests } from '../../lib/systems';
import type { FirmCatalogue } from './replies';

/** What the form of a firm offers to choose from. */
export const firmCatalogue = (): FirmCatalogue => ({
  roles,
  codes: Object.keys(exceptionCodes),
  entities: entityNames,
  severities: ['critical', 'error', 'warning'],
  actions: gatedActions,
  systems: Object.values(manifests).map(({ id }) => id),
  usual: defaultCasePolicy,
});
