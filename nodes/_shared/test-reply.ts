/** Answer of `POST q2c/…/<node id>/test` below the admin root: what was looked at, in plain words. */
export interface TestReply {
  checks: { id: string; label: string; ok: boolean; message: string }[];
}
