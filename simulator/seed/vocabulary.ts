import type { SeedCountry } from './tax-numbers';
import type { CommercialModel, ServiceLine } from './world';

interface CountryWords {
  currency: 'EUR' | 'GBP' | 'USD';
  stems: readonly string[];
  trades: readonly string[];
  legalForms: readonly string[];
  /** City, postal code, region (where an address has one). */
  cities: readonly (readonly [string, string, string?])[];
  streets: readonly string[];
  /** True where the house number comes first. */
  numberFirst: boolean;
  firstNames: readonly string[];
  lastNames: readonly string[];
}

/** Invented companies and people; none of the combinations is meant to exist. */
export const COUNTRIES: Record<SeedCountry, CountryWords> = {
  DE: {
    currency: 'EUR',
    stems: [
      'Altmühl',
      'Brockenfels',
      'Drachenried',
      'Eschental',
      'Falkenbruch',
      'Grünwerder',
      'Hohenlinde',
      'Isarwerk',
      'Jadehafen',
      'Kesselring',
      'Lindauer',
      'Nordkamp',
    ],
    trades: [
      'Antriebstechnik',
      'Logistik',
      'Medizintechnik',
      'Energie',
      'Maschinenbau',
      'Versicherung',
      'Handel',
      'Werkzeugbau',
    ],
    legalForms: ['GmbH', 'AG', 'GmbH & Co. KG', 'SE'],
    cities: [
      ['München', '80331'],
      ['Hamburg', '20095'],
      ['Köln', '50667'],
      ['Stuttgart', '70173'],
      ['Düsseldorf', '40210'],
      ['Leipzig', '04109'],
    ],
    streets: ['Hafenstraße', 'Lindenallee', 'Industrieweg', 'Bahnhofstraße', 'Am Mühlbach'],
    numberFirst: false,
    firstNames: ['Anja', 'Björn', 'Claudia', 'Dirk', 'Jürgen', 'Katrin', 'Lars', 'Sabine'],
    lastNames: ['Bergmann', 'Großmann', 'Hübner', 'Krüger', 'Neumann', 'Schäfer', 'Vogt', 'Zimmermann'],
  },
  AT: {
    currency: 'EUR',
    stems: ['Donaufeld', 'Karwendel', 'Murtal', 'Semmering'],
    trades: ['Anlagenbau', 'Holzbau', 'Telekom', 'Versorgung'],
    legalForms: ['GmbH', 'AG'],
    cities: [
      ['Wien', '1010'],
      ['Graz', '8010'],
      ['Linz', '4020'],
      ['Innsbruck', '6020'],
    ],
    streets: ['Mariahilfer Gasse', 'Donaulände', 'Herrengasse', 'Schlossberggasse'],
    numberFirst: false,
    firstNames: ['Eva', 'Florian', 'Hannes', 'Martina', 'Stefanie', 'Wolfgang'],
    lastNames: ['Gruber', 'Hofer', 'Leitner', 'Moser', 'Pichler', 'Steiner'],
  },
  FR: {
    currency: 'EUR',
    stems: ['Armorique', 'Bellerive', 'Châteauneuf', 'Florélac', 'Montclair', 'Valdoise'],
    trades: ['Énergies', 'Assurances', 'Transports', 'Distribution', 'Ingénierie'],
    legalForms: ['SAS', 'SA', 'SARL'],
    cities: [
      ['Paris', '75008'],
      ['Lyon', '69002'],
      ['Nantes', '44000'],
      ['Toulouse', '31000'],
      ['Lille', '59000'],
    ],
    streets: ['rue de la République', 'avenue des Tilleuls', 'boulevard Victor-Hugo', 'quai de la Loire'],
    numberFirst: true,
    firstNames: ['Amélie', 'Benoît', 'Céline', 'François', 'Hélène', 'Julien', 'Noémie', 'Théo'],
    lastNames: ['Bernard', 'Delacroix', 'Fournier', 'Lefèvre', 'Marchand', 'Rousseau'],
  },
  GB: {
    currency: 'GBP',
    stems: ['Ashdown', 'Blackmoor', 'Cotswold', 'Dunmere', 'Eastleigh', 'Fenwick', 'Glenburn', 'Harrowgate'],
    trades: ['Freight', 'Insurance', 'Pharmaceuticals', 'Retail', 'Water', 'Aerospace'],
    legalForms: ['Ltd', 'plc', 'Holdings Ltd'],
    cities: [
      ['London', 'EC2A 4BX'],
      ['Manchester', 'M1 4BT'],
      ['Leeds', 'LS1 4DY'],
      ['Bristol', 'BS1 4ST'],
      ['Edinburgh', 'EH2 4AD'],
    ],
    streets: ['King Street', 'Wharf Road', 'Station Approach', 'Queen’s Parade'],
    numberFirst: true,
    firstNames: ['Alice', 'Callum', 'Eleanor', 'George', 'Harriet', 'Oliver', 'Priya', 'Sean'],
    lastNames: ['Ashworth', 'Bennett', 'Fraser', 'Hughes', 'O’Connor', 'Patel', 'Whitaker'],
  },
  CH: {
    currency: 'EUR',
    stems: ['Aareblick', 'Matterfeld', 'Rheintal', 'Zürisee'],
    trades: ['Präzision', 'Pharma', 'Uhren', 'Bahntechnik'],
    legalForms: ['AG', 'GmbH', 'SA'],
    cities: [
      ['Zürich', '8001'],
      ['Basel', '4051'],
      ['Bern', '3011'],
      ['Genève', '1204'],
    ],
    streets: ['Seestrasse', 'Marktgasse', 'Bahnhofplatz', 'Rue du Rhône'],
    numberFirst: false,
    firstNames: ['Beat', 'Chiara', 'Reto', 'Ursina', 'Luc', 'Nicole'],
    lastNames: ['Ammann', 'Bianchi', 'Frei', 'Keller', 'Meier', 'Rochat'],
  },
  US: {
    currency: 'USD',
    stems: ['Bluewater', 'Cedar Ridge', 'Granite Peak', 'Lakeshore', 'Red Mesa', 'Summit Harbor'],
    trades: ['Health', 'Manufacturing', 'Software', 'Utilities', 'Financial'],
    legalForms: ['Inc.', 'LLC', 'Corp.'],
    cities: [
      ['New York', '10018', 'NY'],
      ['Boston', '02110', 'MA'],
      ['Chicago', '60606', 'IL'],
      ['Austin', '78701', 'TX'],
      ['Denver', '80202', 'CO'],
    ],
    streets: ['Market Street', 'Harbor Boulevard', 'Lexington Avenue', 'Commerce Drive'],
    numberFirst: true,
    firstNames: ['Brandon', 'Dana', 'Emily', 'Jose', 'Kayla', 'Marcus', 'Rachel', 'Tyrone'],
    lastNames: ['Alvarez', 'Brooks', 'Coleman', 'Jenkins', 'Nguyen', 'Sullivan', 'Walker'],
  },
};

export const CONTACT_TITLES = {
  buyer: 'Head of Procurement',
  approver: 'Chief Financial Officer',
  billing: 'Accounts Payable Lead',
  delivery: 'Programme Director',
} as const;

/** What is sold, by service line: the engagement and what each line of it says. */
export const SERVICES: Record<
  ServiceLine,
  {
    code: string;
    engagements: readonly string[];
    lines: Record<CommercialModel, readonly string[]>;
    phases: readonly string[];
  }
> = {
  strategy: {
    code: 'STR',
    engagements: [
      'Operating model redesign',
      'Finance transformation roadmap',
      'Pricing strategy review',
      'Post-merger integration plan',
    ],
    lines: {
      fixed_fee: ['Target operating model study', 'Market and cost benchmark'],
      milestone: ['Transformation roadmap with board approvals'],
      time_and_materials: ['Partner and consultant advisory days'],
      retainer: ['Monthly executive advisory'],
      usage: ['Benchmark database queries'],
      cost_plus: ['Market survey by research panel'],
    },
    phases: ['Current-state assessment accepted', 'Target design approved', 'Roadmap signed off'],
  },
  implementation: {
    code: 'IMP',
    engagements: [
      'ERP rollout wave 2',
      'CRM replacement',
      'Data platform build',
      'Warehouse automation',
      'Billing system migration',
    ],
    lines: {
      fixed_fee: ['Solution design and project set-up', 'Data migration package'],
      milestone: ['System implementation to go-live'],
      time_and_materials: ['Integration development', 'Change requests and hypercare'],
      retainer: ['Release management'],
      usage: ['Migrated records'],
      cost_plus: ['Cloud environments during the build'],
    },
    phases: ['Design accepted', 'User acceptance test passed', 'Go-live', 'Hypercare completed'],
  },
  managed_services: {
    code: 'MGS',
    engagements: [
      'Application management',
      'Finance platform operations',
      'Service desk takeover',
      'Cloud operations',
    ],
    lines: {
      fixed_fee: ['Transition and knowledge transfer'],
      milestone: ['Service transition to steady state'],
      time_and_materials: ['Enhancements on call-off'],
      retainer: ['Application support, service hours', 'Platform operations, service hours'],
      usage: ['Processed tickets', 'Processed invoices'],
      cost_plus: ['Third-party licences and hosting'],
    },
    phases: ['Knowledge transfer completed', 'Shadow operation passed', 'Steady state reached'],
  },
  training: {
    code: 'TRN',
    engagements: ['Key-user academy', 'Leadership programme', 'Consultant certification', 'Go-live training'],
    lines: {
      fixed_fee: ['Curriculum and course material'],
      milestone: ['Certification programme by cohort'],
      time_and_materials: ['Classroom trainer days'],
      retainer: ['Learning coach, monthly hours'],
      usage: ['Learning platform seats'],
      cost_plus: ['Venues and travel'],
    },
    phases: ['Curriculum approved', 'First cohort certified', 'Second cohort certified'],
  },
};
