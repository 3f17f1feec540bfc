// Written by the build from the folders beside it; do not edit.
import { manifest as kantata } from './kantata/manifest';
import type { SystemManifest, SystemModule } from './kit/types';
import { manifest as netsuite } from './netsuite/manifest';
import { manifest as salesforce } from './salesforce/manifest';

const all = {
  kantata,
  netsuite,
  salesforce,
};
export type SystemId = keyof typeof all;

export const manifests: Record<SystemId, SystemManifest> = all;

const modules: Record<SystemId, () => Promise<{ system: SystemModule }>> = {
  kantata: () => import('./kantata'),
  netsuite: () => import('./netsuite'),
  salesforce: () => import('./salesforce'),
};

/** The code of a system, loaded at first use: a host pays only for the systems that its flows connect to. */
export async function loadSystem(id: SystemId): Promise<SystemModule> {
  return (await modules[id]()).system;
}
