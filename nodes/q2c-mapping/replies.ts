import type { TargetField } from '../../lib/mapping/fields';
import type { UnmappedField } from '../../lib/mapping/missing';
import type { MappedValue, MappingProblem } from '../../lib/mapping/outcome';

/** What the host answers to the form of a mapping set. */

/** What the form offers: fields of the canonical model, and what connectors fill and look up by themselves. */
export interface MappingCatalogue {
  stages: { stage: string; system: string; label: string; direction: 'read' | 'write' }[];
  /** By entity. */
  fields: Record<string, TargetField[]>;
  /** By stage and entity: field → where the connector takes it from. */
  filled: Record<string, Record<string, Record<string, string>>>;
  /** By system: lookup table → what its keys are. */
  tables: Record<string, Record<string, string>>;
}

/** A deal that a mapping can be tried on. */
export interface RecentDeal {
  /** Id of its run. */
  run: string;
  title: string;
  createdAt: string;
}

/** A version that deals went through. */
export interface UsedVersion {
  version: string;
  /** The set as JSON text. */
  content: string;
  firstUsedAt: string;
}

export interface PreviewReply {
  version: string | null;
  /** Why the set as a whole cannot be used. */
  invalid: string | null;
  values: MappedValue[];
  problems: MappingProblem[];
  unmapped: UnmappedField[];
}
