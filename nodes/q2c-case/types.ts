import type { Severity } from '../../lib/model';

/** The model's severities, mildest first. */
export const severities = ['warning', 'error', 'critical'] as const satisfies readonly Severity[];

export interface CaseProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** One of the model's exception codes. */
  code: string;
  /** Role that has to act; empty = the role that the code belongs to. */
  ownerRole: string;
  severity: Severity;
  /** Typed input; what a business reader is told. Empty text = the message of the code. */
  message: string;
  messageType: 'str' | 'msg' | 'jsonata' | 'env';
}

export const defaults: CaseProperties = {
  name: '',
  store: '',
  code: '',
  ownerRole: '',
  severity: 'error',
  message: '',
  messageType: 'str',
};
