import shippedFirm from './default-firm.json';

/** Configuration node: the firm's own set-up (legal entities, rules that choose one, lookup tables). */
export interface FirmProperties {
  name: string;
  /** The set-up as JSON text. The default is the firm that the simulators know. */
  data: string;
}

export const defaults: FirmProperties = { name: '', data: JSON.stringify(shippedFirm, null, 2) };
