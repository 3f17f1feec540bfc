import type { RecordStore, SimContext } from '../kit/types';
import { KANTATA_LISTS, type SeedWorld, type ServiceLine } from '../seed/world';
import type { Data } from './account';

/**
 * The account as the firm's administrators have set it up: people, roles, rate cards, project templates, and a
 * custom field that keeps the CRM's id unique. Projects and clients come later.
 */
export function seed(context: SimContext, world: SeedWorld): void {
  const { db } = context;
  db.insert('account', '1', { visibleAfterMs: 0 });
  seedPeople(db);
  seedRates(db, world);
  for (const line of Object.keys(TEMPLATES) as ServiceLine[]) seedTemplate(db, line);
  db.insert('custom_field_sets', '91', { name: 'Integration', subject_type: 'Workspace' });
  db.insert('custom_fields', '92', {
    name: 'CRM Opportunity ID',
    value_type: 'string',
    unique_constraint: true,
    custom_field_set_id: '91',
    creator_id: KANTATA_LISTS.integrationUser,
  });
  for (const [index, name] of ['Travel', 'Lodging', 'Meals', 'Mileage', 'Other'].entries()) {
    db.insert('expense_categories', String(101 + index), { name, deleted_at: null });
  }
}

// ---------------------------------------------------------------- people

type Role = keyof typeof KANTATA_LISTS.role;

const ROLE_NAMES: Record<Role, string> = {
  principal: 'Principal',
  consultant: 'Consultant',
  project_manager: 'Project Manager',
  trainer: 'Trainer',
};

const PEOPLE: { id: string; name: string; role: Role }[] = [
  { id: '3', name: 'Katharina Brandt', role: 'principal' },
  { id: '4', name: 'Daniel Whitfield', role: 'principal' },
  { id: '5', name: 'Jonas Lindqvist', role: 'consultant' },
  { id: '6', name: 'Amélie Roussel', role: 'consultant' },
  { id: '7', name: 'Priya Raman', role: 'consultant' },
  { id: '8', name: 'Markus Steiner', role: 'project_manager' },
  { id: '9', name: 'Olivia Carter', role: 'project_manager' },
  { id: '10', name: 'Tomasz Zieliński', role: 'trainer' },
];

function seedPeople(db: RecordStore): void {
  for (const [role, id] of Object.entries(KANTATA_LISTS.role))
    db.insert('roles', id, { name: ROLE_NAMES[role as Role] });
  const add = (id: string, full_name: string, email_address: string, more: Data): void => {
    db.insert('users', id, {
      full_name,
      email_address,
      headline: null,
      photo_path: null,
      disabled: false,
      ...more,
    });
  };
  const { integrationUser, role } = KANTATA_LISTS;
  add(integrationUser, 'Integration', 'integration@meridian.example', {
    role_id: null,
    account_permission: 'account_administrator',
  });
  for (const person of PEOPLE) {
    add(person.id, person.name, addressOf(person.name), {
      role_id: role[person.role],
      account_permission: person.role === 'project_manager' ? 'project_creator' : 'collaborator',
    });
  }
}

/** `Amélie Roussel` → `amelie.roussel@meridian.example`. */
const addressOf = (name: string): string =>
  `${name
    .normalize('NFD')
    .replace(/[^A-Za-z ]/g, '')
    .toLowerCase()
    .replace(' ', '.')}@meridian.example`;

// ---------------------------------------------------------------- rates

/** Hourly rates in whole units of the currency. */
const RATES: Record<string, Record<Role, number>> = {
  EUR: { principal: 220, consultant: 150, project_manager: 175, trainer: 140 },
  GBP: { principal: 195, consultant: 135, project_manager: 155, trainer: 125 },
  USD: { principal: 260, consultant: 180, project_manager: 205, trainer: 165 },
};

/** One set per legal entity, one card per currency, one version in force since 2024. */
function seedRates(db: RecordStore, world: SeedWorld): void {
  for (const [index, entity] of world.legalEntities.entries()) {
    const [set, setVersion] = [String(41 + index), String(45 + index)];
    db.insert('rate_card_sets', set, { title: entity.name, account_default: index === 0 });
    db.insert('rate_card_set_versions', setVersion, { rate_card_set_id: set, effective_date: '2024-01-01' });
    for (const [key, card] of Object.entries(KANTATA_LISTS.rateCard)) {
      const [owner, currency = ''] = key.split(':');
      if (owner === entity.key) seedCard(db, { set, setVersion, card, currency });
    }
  }
}

function seedCard(
  db: RecordStore,
  at: { set: string; setVersion: string; card: string; currency: string },
): void {
  const version = String(Number(at.card) + 10);
  db.insert('rate_cards', at.card, { rate_card_set_id: at.set, currency: at.currency });
  db.insert('rate_card_versions', version, {
    rate_card_id: at.card,
    rate_card_set_version_id: at.setVersion,
    default_rate: RATES[at.currency]?.consultant ?? 0,
  });
  for (const [role, roleId] of Object.entries(KANTATA_LISTS.role)) {
    db.insert('rate_card_roles', `${version}${roleId}`, {
      rate_card_version_id: version,
      role_id: roleId,
      rate: RATES[at.currency]?.[role as Role] ?? 0,
    });
  }
}

// ---------------------------------------------------------------- templates

interface TemplateTask {
  title: string;
  /** First and last day, counted from the project's start. A milestone has its day only. */
  days: [number, number] | [number];
  role?: Role;
  hours?: number;
}

interface TemplatePlan {
  title: string;
  roles: Role[];
  tasks: TemplateTask[];
}

const TEMPLATES: Record<ServiceLine, TemplatePlan> = {
  strategy: {
    title: 'Strategy engagement',
    roles: ['principal', 'consultant', 'project_manager'],
    tasks: [
      { title: 'Kick-off and interviews', days: [0, 11], role: 'principal', hours: 40 },
      { title: 'Current-state analysis', days: [14, 39], role: 'consultant', hours: 120 },
      { title: 'Analysis presented', days: [41] },
      { title: 'Target picture and options', days: [42, 67], role: 'principal', hours: 80 },
      { title: 'Roadmap and business case', days: [70, 88], role: 'consultant', hours: 96 },
      { title: 'Final report accepted', days: [90] },
    ],
  },
  implementation: {
    title: 'Implementation project',
    roles: ['project_manager', 'consultant', 'principal'],
    tasks: [
      { title: 'Project set-up', days: [0, 11], role: 'project_manager', hours: 40 },
      { title: 'Design', days: [14, 46], role: 'consultant', hours: 160 },
      { title: 'Design accepted', days: [48] },
      { title: 'Build and unit test', days: [49, 109], role: 'consultant', hours: 400 },
      { title: 'User acceptance test', days: [112, 137], role: 'project_manager', hours: 80 },
      { title: 'Go-live', days: [140] },
    ],
  },
  managed_services: {
    title: 'Managed services',
    roles: ['project_manager', 'consultant'],
    tasks: [
      { title: 'Onboarding and transition', days: [0, 25], role: 'project_manager', hours: 60 },
      { title: 'Service start', days: [28] },
      { title: 'Service delivery', days: [28, 363], role: 'consultant', hours: 960 },
      { title: 'Service review', days: [182] },
    ],
  },
  training: {
    title: 'Training programme',
    roles: ['trainer', 'project_manager'],
    tasks: [
      { title: 'Needs analysis', days: [0, 4], role: 'trainer', hours: 16 },
      { title: 'Course material', days: [7, 25], role: 'trainer', hours: 60 },
      { title: 'Courses', days: [28, 46], role: 'trainer', hours: 80 },
      { title: 'Programme completed', days: [49] },
    ],
  },
};

/** The template, and one place to staff per role (`811` → `8111`, `8112` …). */
function seedTemplate(db: RecordStore, line: ServiceLine): void {
  const plan = TEMPLATES[line];
  const id = KANTATA_LISTS.projectTemplate[line];
  const placeOf = (role: Role): number => Number(id) * 10 + plan.roles.indexOf(role) + 1;
  for (const role of plan.roles) {
    db.insert('project_template_assignments', String(placeOf(role)), {
      project_template_id: id,
      role_id: KANTATA_LISTS.role[role],
      name: ROLE_NAMES[role],
    });
  }
  db.insert('project_templates', id, {
    title: plan.title,
    description: null,
    shared: true,
    is_budgeted: true,
    budget: null,
    currency: 'EUR',
    duration: Math.max(...plan.tasks.flatMap((task) => task.days)),
    user_id: KANTATA_LISTS.integrationUser,
    raw_json: JSON.stringify(rawJson(plan.tasks, placeOf)),
  });
}

function rawJson(tasks: TemplateTask[], placeOf: (role: Role) => number): Data {
  const work = [...tasks.keys()].filter((index) => tasks[index]?.role);
  return {
    stories: tasks.map(({ title, days, role, hours }, index) => ({
      title,
      temp_id: String(index + 1),
      story_type: role ? 'task' : 'milestone',
      relative_start_date: role ? days[0] : null,
      relative_due_date: days.at(-1),
      duration: role ? (days[1] ?? 0) - days[0] + 1 : 0,
      time_estimate_in_minutes: (hours ?? 0) * 60,
      assignments: role ? [{ resource_id: placeOf(role), estimated_minutes: (hours ?? 0) * 60 }] : [],
      sub_stories: [],
    })),
    // Each piece of work starts when the one before it is finished.
    dependencies: work.slice(1).map((index, n) => ({
      source_temp_id: String((work[n] ?? 0) + 1),
      target_temp_id: String(index + 1),
      dependency_type: 2,
      lag: 0,
    })),
  };
}
