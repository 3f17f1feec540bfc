import type { SystemManifest } from '../kit';
import { pollOverlapSetting } from '../kit/poll-overlap';

/**
 * Kantata gives up on a request after three minutes. We wait longer, so that a call that timed out here is
 * surely not still running there while we look for what it wrote.
 */
const LONGER_THAN_THE_VENDORS_OWN_TIMEOUT_MS = 190_000;

/** Two calls a second: the vendor does not publish its limits and sends no headers about them. */
const CAUTIOUS = { concurrency: 4, requestsPerSecond: 2, timeoutMs: LONGER_THAN_THE_VENDORS_OWN_TIMEOUT_MS };

export const manifest: SystemManifest = {
  id: 'kantata',
  label: 'Kantata OX',
  family: 'psa',
  color: '#7fb8a4',
  auth: [
    {
      id: 'access-token',
      label: 'Access token',
      help: 'Sign in to Kantata as the integration user, register an OAuth application as account administrator and copy the token shown on its page. It does not expire; revoke it there to lock the connection out.',
      fields: [{ id: 'accessToken', label: 'Access token', type: 'text', secret: true, required: true }],
    },
  ],
  settings: [
    {
      id: 'accountName',
      label: 'Account',
      help: 'Short name of this Kantata account. It separates two accounts in cross-references, so do not change it once deals have passed.',
      type: 'text',
      placeholder: 'meridian',
    },
    {
      id: 'serviceName',
      label: 'Reference name',
      help: 'Name under which our ids stand in the external references of Kantata. Records are found again by it: do not change it once deals have passed.',
      type: 'text',
      required: true,
      default: 'q2c',
    },
    {
      id: 'baseUrl',
      label: 'API address',
      help: 'Change it only if Kantata gave your account another address.',
      type: 'text',
      required: true,
      default: 'https://api.mavenlink.com/api/v1',
    },
    pollOverlapSetting,
  ],
  limits: {
    simulator: { concurrency: 8, timeoutMs: 10_000 },
    sandbox: CAUTIOUS,
    production: CAUTIOUS,
  },
  entities: {
    project: {
      label: 'Project',
      operations: {
        create: {
          label: 'Create project',
          description:
            'Creates the project with dates, currency and budget, from the template that the firm has set for the service line if there is one. Adds the Kantata id to the project of the deal.',
        },
        upsert: {
          label: 'Create or update project',
          description:
            'Creates the project like “Create project”. If Kantata has it already, its title, description and budget follow the deal; dates, tasks and rates stay as they are there.',
        },
        find: {
          label: 'Find project',
          description:
            'Looks the project up by our id in its external reference, archived projects included. Adds the Kantata id to the project of the deal when it is found.',
        },
      },
    },
    task: {
      label: 'Tasks and milestones',
      operations: {
        create: {
          label: 'Create tasks and milestones',
          description:
            'Adds the tasks and milestones of the plan to the project. A project made from a template keeps the tasks of its template and gets only the milestones.',
        },
      },
    },
    billingSchedule: {
      label: 'Billing schedule',
      operations: {
        create: {
          label: 'Create billing schedule',
          description:
            'Adds one billing milestone with date and exact amount for every line of the billing schedule that is still to come.',
        },
      },
    },
    staffingRequest: {
      label: 'Staffing request',
      operations: {
        create: {
          label: 'Request staff',
          description:
            'Adds one unnamed resource for every role asked for, so that resource managers see the open position on the project.',
          parameters: [
            {
              id: 'roles',
              label: 'Roles',
              help: 'Role names of the table "role" of the firm, separated by commas. A role named twice is asked for twice.',
              type: 'text',
              required: true,
              default: 'project_manager, consultant',
            },
          ],
        },
      },
    },
    timeEntry: {
      label: 'Time entries',
      operations: {
        read: {
          label: 'Read approved time',
          description: 'Reads all approved time entries of the project into the time entries of the deal.',
        },
      },
    },
    rateCard: {
      label: 'Rate cards',
      operations: {
        read: {
          label: 'Read rates',
          description:
            'Reads what an hour of each role costs by every rate card, and on which days, for lookups of other programs. The rates become msg.result.',
        },
      },
    },
  },
  events: {
    'time-approved': {
      label: 'Time approved',
      description:
        'A timesheet was approved: one event for each of its time entries, with project, task and person. Projects without time approval have no timesheets and tell nothing.',
      type: 'q2c.time.approved.v1',
      entity: 'timeEntry',
    },
  },
  access: [
    {
      object: 'workspaces',
      rights: ['read', 'create', 'update'],
      grant: 'Access group > Create and manage projects',
    },
    { object: 'project_templates', rights: ['read'], grant: 'Access group > View project templates' },
    {
      object: 'stories',
      rights: ['read', 'create', 'update'],
      grant: 'Access group > Edit tasks and see their budgets',
    },
    {
      object: 'billing_milestones',
      rights: ['read', 'create'],
      grant: 'Access group > Financial permission on projects',
    },
    {
      object: 'workspace_resources',
      rights: ['read', 'create'],
      grant: 'Access group > Manage resources of projects',
    },
    { object: 'time_entries', rights: ['read'], grant: 'Access group > View time of all projects' },
    {
      object: 'timesheet_submissions',
      rights: ['read'],
      grant: 'Access group > View timesheets of all projects',
    },
    {
      object: 'rate_cards',
      rights: ['read'],
      grant: 'Access group > View rate cards',
      onlyFor: 'Read rates',
    },
  ],
  customFields: [],
  preparation: [
    {
      id: 'user',
      text: 'Make an integration user with a login of its own and an access group with the rights below. Kantata has no scopes: what this user may do, the connector may do.',
    },
    {
      id: 'application',
      text: 'As account administrator register an OAuth application, sign in as the integration user and copy the access token from the page of the application.',
    },
    {
      id: 'connection',
      text: 'Enter the token and a short name of the account here, deploy, and test the connection.',
    },
  ],
  classifiedFields: {
    email_address: 'personal',
    full_name: 'person_name',
    phone: 'personal',
    cost_rate_in_cents: 'cost_rate',
  },
};
