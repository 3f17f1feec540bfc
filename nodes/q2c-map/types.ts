import type { Stage } from '../q2c-mapping/types';

export interface MapProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** Id of a `q2c-mapping` node. */
  mapping: string;
  /** Id of a `q2c-firm` node, for the names of legal entities and the firm's own lookup tables; may be empty. */
  firm: string;
  stage: Stage;
}

export const defaults: MapProperties = {
  name: '',
  store: '',
  mapping: '',
  firm: '',
  stage: 'netsuite.write',
};
