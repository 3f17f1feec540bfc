import { manifest as kantata } from './kantata/manifest';
import type { SystemManifest, SystemModule } from './kit';
import { manifest as salesforce } from './salesforce/manifest';

export * from './kit';

interface SystemEntry {
  /** Pure data, cheap to load: forms, help and the palette need no more. */
  manifest: SystemManifest;
  /** The vendor's code, loaded on first use. Its folder exports `system`. */
  load(): Promise<SystemModule>;
}

/** Every system, one line per folder of `lib/systems`; a test fails when a folder is missing here. */
const systems = {
  kantata: { manifest: kantata, load: async () => (await import('./kantata')).system },
  salesforce: { manifest: salesforce, load: async () => (await import('./salesforce')).system },
} satisfies Record<string, SystemEntry>;

export type SystemId = keyof typeof systems;

export const systemIds = Object.keys(systems) as SystemId[];

/** The manifests by system id. */
export const manifests: Readonly<Record<string, SystemManifest>> = Object.fromEntries(
  Object.entries(systems).map(([id, { manifest }]) => [id, manifest]),
);

/** The code of a system. Loaded once; later calls answer from the module cache. */
export function loadSystem(id: SystemId): Promise<SystemModule> {
  return systems[id].load();
}
