/**
 * The simulated firm, in vendor-neutral words. Every simulated vendor is seeded from this one world, so that
 * ids and names agree between them as they would after a real set-up project.
 */

/** A legal entity of the firm, as the administrators of each vendor have set it up. */
export interface SeedLegalEntity {
  key: 'meridian-de' | 'meridian-us';
  name: string;
  country: string;
  currency: string;
  timeZone: string;
  taxNumber: string;
  /** Internal id of the subsidiary in NetSuite. */
  netsuiteSubsidiary: string;
}

export const LEGAL_ENTITIES: readonly SeedLegalEntity[] = [
  {
    key: 'meridian-de',
    name: 'Meridian Consulting GmbH',
    country: 'DE',
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    taxNumber: 'DE136695976',
    netsuiteSubsidiary: '2',
  },
  {
    key: 'meridian-us',
    name: 'Meridian Consulting Inc.',
    country: 'US',
    currency: 'USD',
    timeZone: 'America/New_York',
    taxNumber: '12-3456789',
    netsuiteSubsidiary: '3',
  },
];

/** Internal ids of list values in the simulated NetSuite account. */
export const NETSUITE_LISTS = {
  currency: { USD: '1', GBP: '2', EUR: '4', CHF: '5' },
  terms: {
    due_on_receipt: '4',
    net_15: '1',
    net_30: '2',
    net_45: '9',
    net_60: '3',
    eom_30: '10',
    '2_10_net_30': '5',
  },
  department: { strategy: '11', implementation: '12', managed_services: '13', training: '14' },
  location: {},
  /** Service items, one per service line and commercial model family. */
  item: {
    'strategy:fixed': '101',
    'strategy:time': '102',
    'implementation:fixed': '111',
    'implementation:time': '112',
    'managed_services:fixed': '121',
    'managed_services:time': '122',
    'training:fixed': '131',
    'training:time': '132',
  },
  taxCode: { standard: '5', reduced: '6', zero: '7', exempt: '8', reverse_charge: '9', export: '12' },
  jobBillingType: {
    time_and_materials: 'TM',
    fixed_bid_milestone: 'FBM',
    fixed_bid_interval: 'FBI',
    charge_based: 'CB',
  },
  projectExpenseType: { regular: '-2' },
  jobStatus: { pending: '1', in_progress: '2', closed: '3' },
} as const;

/** Ids in the simulated Kantata account. */
export const KANTATA_LISTS = {
  /** Project templates by service line. */
  projectTemplate: { strategy: '811', implementation: '812', managed_services: '813', training: '814' },
  role: { principal: '31', consultant: '32', project_manager: '33', trainer: '34' },
  rateCard: { 'meridian-de:EUR': '51', 'meridian-de:GBP': '52', 'meridian-us:USD': '53' },
  integrationUser: '2',
} as const;

export const SERVICE_LINES = ['strategy', 'implementation', 'managed_services', 'training'] as const;
export type ServiceLine = (typeof SERVICE_LINES)[number];

export const COMMERCIAL_MODELS = [
  'fixed_fee',
  'milestone',
  'time_and_materials',
  'retainer',
  'usage',
  'cost_plus',
] as const;
export type CommercialModel = (typeof COMMERCIAL_MODELS)[number];

export interface SeedAddress {
  street: string;
  city: string;
  region?: string;
  postalCode: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

export interface SeedAccount {
  key: string;
  name: string;
  address: SeedAddress;
  taxNumber: string;
  currency: string;
  paymentTerms: keyof typeof NETSUITE_LISTS.terms;
  website: string;
  contacts: {
    firstName: string;
    lastName: string;
    email: string;
    title: string;
    role: 'buyer' | 'approver' | 'billing' | 'delivery';
  }[];
}

export interface SeedDealLine {
  serviceCode: string;
  description: string;
  commercialModel: CommercialModel;
  quantity: string;
  unitPrice: string;
  amount: string;
  /** Plan of the line: milestones with their dates, or dates of instalments. Sums to `amount`. */
  schedule?: { description: string; date: string; amount: string }[];
  capAmount?: string;
  retainer?: { period: 'month'; includedHours: string; overageRate: string };
  markupPercent?: string;
}

export interface SeedDeal {
  key: string;
  name: string;
  accountKey: string;
  serviceLine: ServiceLine;
  /** Selling region of the opportunity; chooses the legal entity. */
  region: 'EMEA' | 'AMER';
  currency: string;
  amount: string;
  closeDate: string;
  startDate: string;
  endDate: string;
  paymentTerms: keyof typeof NETSUITE_LISTS.terms;
  poNumber?: string;
  lines: SeedDealLine[];
}

export interface SeedWorld {
  /** The seed it was made from; `generateDeal` goes on from it. */
  seed: number;
  legalEntities: readonly SeedLegalEntity[];
  /** 40 accounts in DE, AT, FR, GB, CH and US, with tax numbers that pass the check digit of their country. */
  accounts: SeedAccount[];
  /** Open opportunities, all commercial models and three currencies (EUR, GBP, USD). */
  deals: SeedDeal[];
}
