import type { SystemModule } from '../kit';
import { createKantataClient, type KantataClient } from './client';
import { timeApproved } from './events/time-approved';
import { manifest } from './manifest';
import { createBillingSchedule } from './operations/create-billing-schedule';
import { createProject } from './operations/create-project';
import { createStaffingRequest } from './operations/create-staffing-request';
import { createTasks } from './operations/create-tasks';
import { findProject } from './operations/find-project';
import { readRateCards } from './operations/read-rate-cards';
import { readTimeEntries } from './operations/read-time-entries';

/** Kantata OX (formerly Mavenlink), the PSA: projects, tasks, billing milestones, staffing, time. */
export const system: SystemModule<KantataClient> = {
  manifest,
  createClient: createKantataClient,
  operations: [
    createProject,
    findProject,
    createTasks,
    createBillingSchedule,
    createStaffingRequest,
    readTimeEntries,
    readRateCards,
  ],
  events: [timeApproved],
};
