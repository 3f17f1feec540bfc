export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

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
  severity: 'medium',
  message: '',
  messageType: 'str',
};
