import type { Collection } from '../collection';
import {
  customFieldChoices,
  customFieldSets,
  customFields,
  customFieldValues,
  externalReferenceCollection,
  subscribedEvents,
} from './fields';
import { workspaceInvoicePreferences } from './invoice-preferences';
import { additionalItems, externalPayments, fixedFeeItems, invoices } from './invoices';
import {
  rateCardRoles,
  rateCardSets,
  rateCardSetVersions,
  rateCards,
  rateCardVersions,
  roles,
  users,
  workspaceGroups,
} from './people';
import {
  assignments,
  billingMilestones,
  projectTemplateAssignments,
  projectTemplates,
  storyDependencies,
  tags,
} from './planning';
import {
  participations,
  resourceRequests,
  staffingDemands,
  workspaceAllocations,
  workspaceResources,
} from './staffing';
import { stories } from './stories';
import { expenseReportSubmissions, resolutions, timesheetSubmissions } from './submissions';
import { expenseCategories, expenses, timeEntries } from './time';
import { workspaces } from './workspaces';

const ALL: Collection[] = [
  additionalItems,
  assignments,
  billingMilestones,
  customFieldChoices,
  customFieldSets,
  customFields,
  customFieldValues,
  expenseCategories,
  expenseReportSubmissions,
  expenses,
  externalPayments,
  externalReferenceCollection,
  fixedFeeItems,
  invoices,
  participations,
  projectTemplateAssignments,
  projectTemplates,
  rateCardRoles,
  rateCardSets,
  rateCardSetVersions,
  rateCards,
  rateCardVersions,
  resolutions,
  resourceRequests,
  roles,
  staffingDemands,
  stories,
  storyDependencies,
  subscribedEvents,
  tags,
  timeEntries,
  timesheetSubmissions,
  users,
  workspaceAllocations,
  workspaceGroups,
  workspaceInvoicePreferences,
  workspaceResources,
  workspaces,
];

/** Every collection of the API by its plural name. */
export const collections: Record<string, Collection> = Object.fromEntries(
  ALL.map((each) => [each.key, each]),
);
