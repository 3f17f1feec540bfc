import { randomUUID } from 'node:crypto';
import { Q2cError } from '../model';
import { type BrokerSettings, connectBroker } from './broker';

/** One line of the answer to "Test connection". */
export interface BrokerCheck {
  id: 'connect' | 'subscribe' | 'shared' | 'session';
  label: string;
  ok: boolean;
  message: string;
}

const CONNECT = 'Reached and signed in';

/**
 * Tries what the nodes of a broker need, with a session of its own that leaves nothing behind. Nothing is published.
 * @param filter topics of this firm
 * @param expirySeconds how long the broker is asked to keep sessions
 */
export async function checkBroker(
  settings: BrokerSettings,
  filter: string,
  expirySeconds: number,
): Promise<BrokerCheck[]> {
  const session = { clientId: `q2c-test-${randomUUID().slice(0, 8)}`, expirySeconds: 0 };
  const link = await connectBroker(settings, session).catch((error: unknown) => asQ2cError(error));
  if (link instanceof Q2cError) return [{ id: 'connect', label: CONNECT, ok: false, message: link.message }];
  const { sharedSubscriptionAvailable, sessionExpiryInterval = expirySeconds } = link.features;
  try {
    const problem = await link.subscribe(filter).then(() => null, asQ2cError);
    return [
      { id: 'connect', label: CONNECT, ok: true, message: '' },
      {
        id: 'subscribe',
        label: `May subscribe to ${filter}`,
        ok: problem === null,
        message: problem?.message ?? '',
      },
      ...(settings.protocolVersion === 5
        ? [
            {
              id: 'shared' as const,
              label: 'Shared subscriptions',
              ok: sharedSubscriptionAvailable !== false,
              message: sharedSubscriptionAvailable === false ? 'Not supported; leave the group empty.' : '',
            },
            {
              id: 'session' as const,
              label: 'Keeps messages while we are away',
              ok: sessionExpiryInterval >= expirySeconds,
              message: sessionExpiryInterval >= expirySeconds ? '' : `Only for ${sessionExpiryInterval} s.`,
            },
          ]
        : []),
    ];
  } finally {
    await link.close();
  }
}

function asQ2cError(error: unknown): Q2cError {
  if (error instanceof Q2cError) return error;
  throw error;
}
