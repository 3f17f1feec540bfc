import type { TaskObserver } from '../model';
import { loadSystem, type SystemId } from '../systems';
import type {
  CallContext,
  ConnectionConfig,
  EventSource,
  Operation,
  SystemClient,
  SystemModule,
} from '../systems/kit/types';
import { RemoteClient } from './client';
import type { OperationCall } from './protocol';
import { SystemsThread, type ThreadDependencies } from './thread';

/** A system's operations and events, with a client for them. */
export interface Connected {
  client: SystemClient;
  module: Pick<SystemModule, 'manifest' | 'operations' | 'events'>;
}

export interface RemoteDependencies extends ThreadDependencies {
  /** Asked when a task is given to the thread. */
  observe(): TaskObserver;
}

/**
 * Connects to a vendor, whose calls are made in the thread of all connections: what a call costs besides the waiting
 * (sockets, encryption, JSON, checking of replies) leaves the host's event loop alone (docs/decisions/0031). What is pure
 * in an operation runs where it is called.
 *
 * @throws what the client throws for a configuration that is not complete
 */
export async function connectInThread(
  system: SystemId,
  config: ConnectionConfig,
  dependencies: RemoteDependencies,
  thread = allConnections,
): Promise<Connected> {
  const opened = await thread.open(system, config, dependencies);
  const client = new RemoteClient(thread, system, opened, dependencies.observe);
  return { client, module: await remoteModule(system) };
}

const allConnections = new SystemsThread();

const remoteModules = new Map<SystemId, Promise<Connected['module']>>();

function remoteModule(system: SystemId): Promise<Connected['module']> {
  const known = remoteModules.get(system) ?? loadSystem(system).then(remoteOf);
  remoteModules.set(system, known);
  return known;
}

function remoteOf({ manifest, operations, events }: SystemModule): Connected['module'] {
  return {
    manifest,
    operations: operations.map((operation) => remoteOperation(operation)),
    events: events.map((source) => remoteSource(source)),
  };
}

function remoteOperation(operation: Operation): Operation {
  const of =
    (call: OperationCall) =>
    (client: SystemClient, ...args: unknown[]) =>
      remote(client).call(operation, call, args.slice(0, -1), args.at(-1) as CallContext);
  const { probe, adopt, compensate } = operation;
  return {
    ...operation,
    call: of('call'),
    ...(probe && { probe: of('probe') }),
    ...(adopt && { adopt: of('adopt') }),
    ...(compensate && { compensate: of('compensate') as Operation['compensate'] }),
  };
}

function remoteSource(source: EventSource): EventSource {
  return {
    ...source,
    poll: (client, cursor, context) => remote(client).poll(source.id, cursor, context),
  };
}

function remote(client: SystemClient): RemoteClient {
  if (client instanceof RemoteClient) return client;
  throw new TypeError('An operation of the thread takes a client of the thread.');
}
