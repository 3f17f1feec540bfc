import type { SystemManifest } from '../../lib/systems/kit/types.ts';
import { netsuiteMetadata } from './netsuite.ts';
import { salesforceMetadata } from './salesforce.ts';

/** Path in the folder of the system → text. */
export type MetadataFiles = ReadonlyMap<string, string>;

/** Vendors that take an administrator's set-up as files. */
const METADATA: Readonly<Record<string, (manifest: SystemManifest) => MetadataFiles>> = {
  netsuite: netsuiteMetadata,
  salesforce: salesforceMetadata,
};

/** What an administrator can deploy instead of entering it by hand; empty where the vendor has no such way. */
export function tenantFiles(manifest: SystemManifest): MetadataFiles {
  return METADATA[manifest.id]?.(manifest) ?? new Map();
}
