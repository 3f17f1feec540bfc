import packOnce from './pack';
import startOnce from './postgres-once';

/** Jest `globalSetup` of the tests with real hosts: the packed pack, and a server for hosts that share their work. */
export default async function prepare(): Promise<void> {
  await packOnce();
  await startOnce();
}
