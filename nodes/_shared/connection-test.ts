/** Answer of `POST q2c/connections/<node id>/test` below the admin root. */
export interface ConnectionTestReply {
  checks: { id: string; label: string; ok: boolean; message: string }[];
}

/** What a configuration node has whose form has a "Test connection" button. */
export interface Testable {
  test(): Promise<ConnectionTestReply['checks']>;
}
