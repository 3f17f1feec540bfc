import type { SimContext, SimRecord } from '../kit/types';
import { KANTATA_LISTS } from '../seed/world';
import { recordChange } from './events';
import { isoDate } from './values';

export type Data = Record<string, unknown>;

/** Every lookup the simulator makes; the store keeps an index for each. */
export const INDEXES = [
  'assignments.resource_id',
  'assignments.story_id',
  'billing_milestones.workspace_id',
  'custom_field_choices.custom_field_id',
  'custom_field_values.subject_key',
  'custom_field_values.unique_key',
  'expense_report_submissions.workspace_id',
  'expenses.workspace_id',
  'external_payments.workspace_id',
  'external_references.lookup_key',
  'external_references.service_model_ref',
  'external_references.service_name',
  'external_references.subject_key',
  'external_references.subject_type',
  'participations.user_id',
  'participations.workspace_id',
  'project_template_assignments.project_template_id',
  'rate_card_roles.rate_card_version_id',
  'rate_card_set_versions.rate_card_set_id',
  'rate_card_versions.rate_card_id',
  'rate_card_versions.rate_card_set_version_id',
  'rate_cards.rate_card_set_id',
  'resource_requests.resource_id',
  'staffing_demands.workspace_id',
  'stories.parent_id',
  'stories.workspace_id',
  'story_dependencies.source_id',
  'story_dependencies.target_id',
  'story_dependencies.workspace_id',
  'tags.name',
  'time_entries.story_id',
  'time_entries.workspace_id',
  'timesheet_submissions.workspace_id',
  'users.email_address',
  'workspace_allocations.workspace_id',
  'workspace_allocations.workspace_resource_id',
  'workspace_invoice_preferences.workspace_id',
  'workspace_resources.workspace_id',
] as const;
export type Index = (typeof INDEXES)[number];

/** Settings of the simulated account that no API shows; a test changes them through the control type `account`. */
export interface Settings {
  /** Milliseconds until a new object is found by its external reference. */
  visibleAfterMs: number;
  /** Collections that the access group of the integration user does not allow to see. */
  denied: readonly string[];
  /** Collections that it allows to see, but not to change. */
  readOnly: readonly string[];
}

/** The account as one acting user sees and changes it. Writes leave their trace in the event feed. */
export class Account {
  readonly id = '1';
  readonly context: SimContext;
  /** The user a change is attributed to. */
  readonly actor: string;

  constructor(context: SimContext, actor: string = KANTATA_LISTS.integrationUser) {
    this.context = context;
    this.actor = actor;
  }

  get now(): number {
    return this.context.now();
  }

  get today(): string {
    return isoDate(this.now);
  }

  get settings(): Settings {
    return { visibleAfterMs: 0, denied: [], readOnly: [], ...this.get('account', this.id)?.data };
  }

  get(collection: string, id: unknown): SimRecord | undefined {
    return typeof id === 'string' ? this.context.db.get(collection, id) : undefined;
  }

  /** For references that the simulator itself keeps intact; a miss is a defect of the simulator. */
  need(collection: string, id: unknown): SimRecord {
    const record = this.get(collection, id);
    if (!record) throw new Error(`${collection} ${String(id)} is missing in the simulated account`);
    return record;
  }

  find(index: Index, value: string): SimRecord[] {
    const [collection, field] = index.split('.') as [string, string];
    return this.context.db.findBy(collection, field, value);
  }

  list(collection: string): SimRecord[] {
    return this.context.db.list(collection);
  }

  /** One sequence for all collections, so that an id used for the wrong kind of object finds nothing. */
  insert(collection: string, data: Data): SimRecord {
    const record = this.context.db.insert(collection, String(10_000 + this.context.db.next('id')), data);
    recordChange(this, 'created', record, null);
    return record;
  }

  /** Merges the changes; an update that changes nothing leaves `updated_at` alone. */
  update(record: SimRecord, changes: Data): SimRecord {
    const current = this.need(record.type, record.id);
    const changed = Object.keys(changes).some(
      (field) => JSON.stringify(changes[field] ?? null) !== JSON.stringify(current.data[field] ?? null),
    );
    if (!changed) return current;
    const updated = this.context.db.update(record.type, record.id, { ...current.data, ...changes });
    recordChange(this, 'updated', updated, current.data);
    return updated;
  }

  remove(record: SimRecord): void {
    this.context.db.remove(record.type, record.id);
    recordChange(this, 'deleted', record, record.data);
  }
}
