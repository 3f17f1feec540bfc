import './postgres-once';

/** Jest `globalTeardown` that goes with `postgres-once`. */
export default async function stop(): Promise<void> {
  await globalThis.q2cTestServer?.stop();
}
