/** Node `q2c-<system>-events`: polls the system and starts one durable run per event. */
export interface EventsProperties {
  name: string;
  /** Id of a `q2c-<system>-connection` node. */
  connection: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** Key of `manifest.events`. */
  event: string;
  /** Seconds between polls, as text. */
  interval: string;
  /** Instant (ISO 8601, UTC) to begin at when there is no cursor yet; empty = now. */
  startAt: string;
  /** Runs of this node that may be under way at once, as text. */
  concurrency: string;
}

/** The build puts the manifest's first event into `event`. */
export const defaults: EventsProperties = {
  name: '',
  connection: '',
  store: '',
  event: '',
  interval: '30',
  startAt: '',
  concurrency: '8',
};
