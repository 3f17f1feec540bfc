export interface AnnounceProperties {
  name: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** One of the model's business event types, for example `q2c.project.provisioned.v1`. */
  eventType: string;
}

export const defaults: AnnounceProperties = { name: '', store: '', eventType: '' };
