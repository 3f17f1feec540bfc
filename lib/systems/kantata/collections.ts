import * as z from 'zod';

/**
 * The collections of Kantata we work with: what their rows look like to us, and how they are created.
 * Ids are strings in replies and integers in requests; association ids come only with `include`.
 */

const identified = z.object({ id: z.string() });

const row = identified.extend({
  external_reference_ids: z.array(z.string()).optional(),
  updated_at: z.string().nullish(),
});

/** Every object of Kantata has an id; those that can be referred to name their references where these are included. */
export interface Identified {
  id: string;
  external_reference_ids?: string[];
}

export interface Collection<Row extends Identified> {
  /** Path, key of the map in replies and root of bulk creates. */
  name: string;
  /** Root of single creates and updates. */
  root: string;
  /** The vendor's own name of the type; `ExternalRef.type` in our cross-references. */
  type: string;
  /** Objects per bulk create. */
  bulkMax: number;
  /** Lists hide archived objects unless asked: one that is not listed may still exist. */
  archivable?: boolean;
  /** Lists hide resources without a person unless asked. */
  unnamed?: boolean;
  row: z.ZodType<Row>;
}

export type OwnedRow = z.infer<typeof row>;

export const workspaces: Collection<OwnedRow> = {
  name: 'workspaces',
  root: 'workspace',
  type: 'Workspace',
  bulkMax: 100,
  archivable: true,
  row,
};

export const stories: Collection<OwnedRow> = {
  name: 'stories',
  root: 'story',
  type: 'Story',
  bulkMax: 300,
  row,
};

export const billingMilestones: Collection<OwnedRow> = {
  name: 'billing_milestones',
  root: 'billing_milestone',
  type: 'BillingMilestone',
  bulkMax: 100,
  row,
};

export const workspaceResources: Collection<OwnedRow> = {
  name: 'workspace_resources',
  root: 'workspace_resource',
  type: 'WorkspaceResource',
  bulkMax: 200,
  unnamed: true,
  row,
};

export const externalReferences: Collection<ExternalReference> = {
  name: 'external_references',
  root: 'external_reference',
  type: 'ExternalReference',
  bulkMax: 1,
  row: z.object({
    id: z.string(),
    service_name: z.string(),
    service_model: z.string(),
    service_model_ref: z.string(),
  }),
};

export interface ExternalReference {
  id: string;
  service_name: string;
  service_model: string;
  service_model_ref: string;
}

const timeEntryRow = row.extend({
  user_id: z.string(),
  story_id: z.string().nullish(),
  date_performed: z.string(),
  time_in_minutes: z.number().int(),
  billable: z.boolean(),
  approved: z.boolean(),
  is_invoiced: z.boolean(),
  rate_in_cents: z.number().int().nullish(),
  currency: z.string(),
  notes: z.string().nullish(),
  created_at: z.string(),
  updated_at: z.string(),
});

export type TimeEntryRow = z.infer<typeof timeEntryRow>;

export const timeEntries: Collection<TimeEntryRow> = {
  name: 'time_entries',
  root: 'time_entry',
  type: 'TimeEntry',
  bulkMax: 100,
  row: timeEntryRow,
};

const projectTimeRow = timeEntryRow.extend({ workspace_id: z.string() });

export type ProjectTimeRow = z.infer<typeof projectTimeRow>;

/** Time entries of any project, read with `include=workspace`. */
export const projectTime: Collection<ProjectTimeRow> = { ...timeEntries, row: projectTimeRow };

const timesheetRow = identified.extend({
  updated_at: z.string(),
  time_entry_ids: z.array(z.string()),
});

export type TimesheetRow = z.infer<typeof timesheetRow>;

/** What is approved: the time of one person in one project and week. */
export const timesheets: Collection<TimesheetRow> = {
  name: 'timesheet_submissions',
  root: 'timesheet_submission',
  type: 'TimesheetSubmission',
  bulkMax: 1,
  row: timesheetRow,
};

/** Read by the connection test, and named in time entries. */
export const users: Collection<Identified> = {
  name: 'users',
  root: 'user',
  type: 'User',
  bulkMax: 1,
  row: identified,
};

export const projectTemplates: Collection<Identified> = {
  name: 'project_templates',
  root: 'project_template',
  type: 'ProjectTemplate',
  bulkMax: 1,
  row: identified,
};

const decimal = z.union([z.number(), z.string()]);

const rateCardRow = identified.extend({ currency: z.string(), rate_card_set_id: z.string() });

/** Read with `include=rate_card_set`. */
export const rateCards: Collection<z.infer<typeof rateCardRow>> = {
  name: 'rate_cards',
  root: 'rate_card',
  type: 'RateCard',
  bulkMax: 1,
  row: rateCardRow,
};

const rateCardSetVersionRow = identified.extend({ effective_date: z.string(), rate_card_set_id: z.string() });

/** Read with `include=rate_card_set`. */
export const rateCardSetVersions: Collection<z.infer<typeof rateCardSetVersionRow>> = {
  name: 'rate_card_set_versions',
  root: 'rate_card_set_version',
  type: 'RateCardSetVersion',
  bulkMax: 1,
  row: rateCardSetVersionRow,
};

const rateCardVersionRow = identified.extend({
  default_rate: decimal,
  rate_card_id: z.string(),
  rate_card_set_version_id: z.string(),
});

/** Read with `include=rate_card,rate_card_set_version`. */
export const rateCardVersions: Collection<z.infer<typeof rateCardVersionRow>> = {
  name: 'rate_card_versions',
  root: 'rate_card_version',
  type: 'RateCardVersion',
  bulkMax: 1,
  row: rateCardVersionRow,
};

const rateCardRoleRow = identified.extend({
  rate: decimal,
  role_id: z.string(),
  rate_card_version_id: z.string(),
});

/** Read with `include=role,rate_card_version`. */
export const rateCardRoles: Collection<z.infer<typeof rateCardRoleRow>> = {
  name: 'rate_card_roles',
  root: 'rate_card_role',
  type: 'RateCardRole',
  bulkMax: 1,
  row: rateCardRoleRow,
};
