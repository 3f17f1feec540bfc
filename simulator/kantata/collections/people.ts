import type { SimRecord } from '../../kit/types';
import type { Account } from '../account';
import {
  ALL_METHODS,
  both,
  type Collection,
  children,
  command,
  fieldIn,
  flag,
  names,
  onCreate,
  onUpdate,
  stored,
  textOf,
} from '../collection';
import { valuesOf } from '../custom-fields';
import { SUPPORTED_CURRENCIES } from '../money';
import { effectiveVersion } from '../team';
import { boolean, date, decimal, id, ids, object, oneOf, strings, text } from '../values';
import { remove } from '../writing';
import { externalReferences } from './planning';

/** Users, roles, client companies, and the rate cards that price roles. */

export const users: Collection = {
  key: 'users',
  root: 'user',
  subject: 'User',
  methods: ['index', 'show', 'update'],
  visible: [
    'full_name',
    'photo_path',
    'email_address',
    'headline',
    'disabled',
    'account_id',
    'account_permission',
  ],
  present: (_record, account) => ({ account_id: Number(account.id) }),
  associations: {
    custom_field_values: children('custom_field_values', 'custom_field_value_ids', (account, id) =>
      valuesOf(account, 'User', id),
    ),
    external_references: externalReferences('User'),
    role: stored('roles', 'role_id'),
  },
  inputs: {
    full_name: onUpdate(text(255)),
    headline: onUpdate(text(255)),
    email_address: onUpdate(text(255)),
    external_reference: command(onUpdate(object)),
  },
  required: { full_name: "can't be blank", email_address: "can't be blank" },
  filters: {
    by_email_address: {
      test: (value) => (record) => String(record.data.email_address).toLowerCase() === value.toLowerCase(),
      candidates: (value, account) => account.find('users.email_address', value.toLowerCase()),
    },
    participant_in: {
      test: (value, account) => {
        const members = new Set(
          account.find('participations.workspace_id', value).map(({ data }) => data.user_id),
        );
        return (record) => members.has(record.id);
      },
    },
    on_my_account: flag(() => true),
  },
  search: { full_name: textOf('full_name'), email_address: textOf('email_address') },
};

export const roles: Collection = {
  key: 'roles',
  root: 'role',
  subject: 'Role',
  methods: ALL_METHODS,
  visible: ['name', 'created_at', 'updated_at', 'deleted_at'],
  associations: { external_references: externalReferences('Role') },
  inputs: { name: both(text(255)), external_reference: command(both(object)) },
  required: { name: "can't be blank" },
};

export const workspaceGroups: Collection = {
  key: 'workspace_groups',
  root: 'workspace_group',
  subject: 'WorkspaceGroup',
  methods: ALL_METHODS,
  visible: names('name company contact_name email phone_number address website notes created_at updated_at'),
  associations: {
    custom_field_values: children('custom_field_values', 'custom_field_value_ids', (account, id) =>
      valuesOf(account, 'WorkspaceGroup', id),
    ),
    external_references: externalReferences('WorkspaceGroup'),
    workspaces: children('workspaces', 'workspace_ids', members),
  },
  inputs: {
    name: both(text(255)),
    company: both(boolean),
    contact_name: both(text(255)),
    email: both(text(255)),
    phone_number: both(text(255)),
    address: both(text()),
    website: both(text(255)),
    notes: both(text()),
    add_workspace_ids: command(both(ids('workspaces'))),
    remove_workspace_ids: command(onUpdate(ids('workspaces'))),
    external_reference: command(both(object)),
  },
  required: { name: "can't be blank" },
  defaults: () => ({ company: false }),
  after(draft, record) {
    const change = (attribute: string, to: (groups: string[]) => string[]): void => {
      for (const workspaceId of strings(draft.values[attribute])) {
        const workspace = draft.account.need('workspaces', workspaceId);
        draft.account.update(workspace, {
          workspace_group_ids: to(strings(workspace.data.workspace_group_ids)),
        });
      }
    };
    change('add_workspace_ids', (groups) => [...new Set([...groups, record.id])]);
    change('remove_workspace_ids', (groups) => groups.filter((group) => group !== record.id));
  },
  destroy(record, account) {
    for (const workspace of members(account, record.id)) {
      const groups = strings(workspace.data.workspace_group_ids).filter((group) => group !== record.id);
      const primary = workspace.data.primary_workspace_group_id;
      account.update(workspace, {
        workspace_group_ids: groups,
        primary_workspace_group_id: primary === record.id ? null : primary,
      });
    }
    remove(account, workspaceGroups, record);
  },
  filters: { company: flag(({ data }) => data.company === true) },
  search: { name: textOf('name') },
};

function members(account: Account, id: string): SimRecord[] {
  return account.list('workspaces').filter(({ data }) => strings(data.workspace_group_ids).includes(id));
}

// ---------------------------------------------------------------- rates

const cardsOf = (account: Account, id: string): SimRecord[] =>
  account.find('rate_cards.rate_card_set_id', id);
const setVersionsOf = (account: Account, id: string): SimRecord[] =>
  account.find('rate_card_set_versions.rate_card_set_id', id);

export const rateCardSets: Collection = {
  key: 'rate_card_sets',
  root: 'rate_card_set',
  methods: ALL_METHODS,
  visible: ['title', 'account_default', 'active_currencies', 'default_currencies', 'destroyable'],
  present: (record, account) => ({
    active_currencies: cardsOf(account, record.id).map(({ data }) => data.currency),
    default_currencies: [],
    destroyable: cardsOf(account, record.id).length === 0,
  }),
  associations: {
    rate_card_set_versions: children('rate_card_set_versions', 'rate_card_set_version_ids', setVersionsOf),
    rate_cards: children('rate_cards', 'rate_card_ids', cardsOf),
  },
  inputs: { title: both(text(255)), clone_version_id: command(onCreate(id('rate_card_set_versions'))) },
  required: { title: "can't be blank" },
  defaults: () => ({ account_default: false }),
};

export const rateCardSetVersions: Collection = {
  key: 'rate_card_set_versions',
  root: 'rate_card_set_version',
  methods: ALL_METHODS,
  visible: ['active', 'effective_date', 'used_currencies'],
  present: (record, account) => ({
    active: String(record.data.effective_date) <= account.today,
    used_currencies: cardsOf(account, String(record.data.rate_card_set_id)).map(({ data }) => data.currency),
  }),
  associations: {
    rate_card_set: stored('rate_card_sets', 'rate_card_set_id'),
    rate_card_versions: children('rate_card_versions', 'rate_card_version_ids', (account, id) =>
      account.find('rate_card_versions.rate_card_set_version_id', id),
    ),
  },
  inputs: {
    rate_card_set_id: onCreate(id('rate_card_sets')),
    effective_date: both(date),
    clone_id: command(onCreate(id('rate_card_set_versions'))),
  },
  required: { rate_card_set_id: "can't be blank", effective_date: "can't be blank" },
  after(draft, record) {
    if (draft.before) return;
    for (const card of cardsOf(draft.account, draft.text('rate_card_set_id')))
      addVersion(draft.account, card, record);
  },
  filters: { rate_card_set_id: fieldIn('rate_card_set_id') },
};

export const rateCards: Collection = {
  key: 'rate_cards',
  root: 'rate_card',
  subject: 'RateCard',
  methods: ALL_METHODS,
  visible: ['currency', 'uses', 'created_at', 'updated_at'],
  present: (record, account) => ({
    uses: account.list('workspaces').filter(({ data }) => data.rate_card_id === record.id).length,
  }),
  associations: {
    effective_rate_card_version: {
      collection: 'rate_card_versions',
      key: 'effective_rate_card_version_id',
      ids: (record, account) => effectiveVersion(account, record)?.id ?? null,
    },
    external_references: externalReferences('RateCard'),
    rate_card_set: stored('rate_card_sets', 'rate_card_set_id'),
    rate_card_versions: children('rate_card_versions', 'rate_card_version_ids', (account, id) =>
      account.find('rate_card_versions.rate_card_id', id),
    ),
  },
  inputs: {
    rate_card_set_id: onCreate(id('rate_card_sets')),
    rate_card_set_version_id: command(onCreate(id('rate_card_set_versions'))),
    currency: both(oneOf(...SUPPORTED_CURRENCIES)),
    external_reference: command(both(object)),
  },
  required: { rate_card_set_id: "can't be blank", currency: "can't be blank" },
  after(draft, record) {
    if (draft.before) return;
    for (const version of setVersionsOf(draft.account, draft.text('rate_card_set_id'))) {
      addVersion(draft.account, record, version);
    }
  },
  locked: (record, account) =>
    account.list('workspaces').some(({ data }) => data.rate_card_id === record.id)
      ? 'A rate card in use by a project cannot be changed'
      : null,
  filters: { rate_card_set_id: fieldIn('rate_card_set_id') },
};

/** Every rate card of a set has one version for each version of the set. */
const addVersion = (account: Account, card: SimRecord, setVersion: SimRecord): SimRecord =>
  account.insert('rate_card_versions', {
    rate_card_id: card.id,
    rate_card_set_version_id: setVersion.id,
    default_rate: 0,
  });

export const rateCardVersions: Collection = {
  key: 'rate_card_versions',
  root: 'rate_card_version',
  methods: ['index', 'show', 'update'],
  visible: ['default_rate'],
  associations: {
    rate_card: stored('rate_cards', 'rate_card_id'),
    rate_card_roles: children('rate_card_roles', 'rate_card_role_ids', (account, id) =>
      account.find('rate_card_roles.rate_card_version_id', id),
    ),
    rate_card_set_version: stored('rate_card_set_versions', 'rate_card_set_version_id'),
  },
  inputs: { default_rate: both(decimal) },
  filters: { rate_card_id: fieldIn('rate_card_id') },
};

export const rateCardRoles: Collection = {
  key: 'rate_card_roles',
  root: 'rate_card_role',
  methods: ALL_METHODS,
  visible: ['rate'],
  associations: {
    rate_card_version: stored('rate_card_versions', 'rate_card_version_id'),
    role: stored('roles', 'role_id'),
  },
  inputs: {
    rate_card_version_id: onCreate(id('rate_card_versions')),
    role_id: onCreate(id('roles')),
    rate: both(decimal),
  },
  required: { rate_card_version_id: "can't be blank", role_id: "can't be blank", rate: "can't be blank" },
  filters: { rate_card_version_id: fieldIn('rate_card_version_id') },
};
