import { both, type Collection, inWorkspaces, names, onCreate } from '../collection';
import { id, text } from '../values';

/** What invoices of the project print, besides their items. */
export const workspaceInvoicePreferences: Collection = {
  key: 'workspace_invoice_preferences',
  root: 'workspace_invoice_preference',
  methods: ['index', 'show', 'create', 'update'],
  visible: names(`
    workspace_id purchase_order project_code client_invoice_name client_invoice_address consultant_invoice_name
    consultant_invoice_address`),
  associations: {},
  inputs: {
    workspace_id: onCreate(id('workspaces')),
    purchase_order: both(text(255)),
    project_code: both(text(255)),
    client_invoice_name: both(text(255)),
    client_invoice_address: both(text()),
    consultant_invoice_name: both(text(255)),
    consultant_invoice_address: both(text()),
  },
  required: { workspace_id: "can't be blank" },
  filters: {
    workspace_id: inWorkspaces((account, id) =>
      account.find('workspace_invoice_preferences.workspace_id', id),
    ),
  },
};
