import { Q2cError } from '../model';

/** Errors of brokers and of the way to them, in plain words. */

/** Reason codes of MQTT 5 (§2.4) and return codes of MQTT 3.1.1 (§3.2.2.3) that somebody can do something about. */
const REASONS: Record<number, string> = {
  1: 'it does not speak this version of MQTT; choose the other one in the form',
  2: 'it does not accept the client id',
  3: 'it is not available at the moment',
  4: 'user name or password is wrong',
  5: 'the user has no right to do this',
  128: 'it gave no reason',
  130: 'it saw a protocol error',
  132: 'it does not speak this version of MQTT; choose the other one in the form',
  133: 'it does not accept the client id',
  134: 'user name or password is wrong',
  135: 'the user has no right to do this',
  136: 'it is not available at the moment',
  137: 'it is busy',
  138: 'this client is banned',
  139: 'it is shutting down',
  142: 'another client has connected with the same client id; give every host its own',
  143: 'it does not allow the topic filter',
  144: 'it does not allow the topic',
  149: 'the message is larger than it allows',
  151: 'a quota is used up',
  155: 'it does not support QoS 1',
  158: 'it does not support shared subscriptions; leave the group empty in the form',
};

/** Refusals that pass by themselves, so that trying again is right. */
const PASSING = new Set([3, 136, 137, 139]);

/** Codes of certificate checks and of the handshake; their messages say what is wrong, but not what to do. */
const TLS = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/;

/**
 * The broker said no.
 * @param broker its address, without secrets
 * @param code reason code of MQTT 5 or return code of MQTT 3.1.1
 */
export function refusal(broker: string, code: number): Q2cError {
  const reason = REASONS[code] ?? `reason code ${code}`;
  return new Q2cError(
    PASSING.has(code) ? 'BROKER_UNAVAILABLE' : 'BROKER_REFUSED',
    `The broker at ${broker} refused: ${reason}.`,
  );
}

/** What an error of the client means; without one the connection just ended. */
export function connectionLost(broker: string, error: unknown): Q2cError {
  if (error instanceof Q2cError) return error;
  const { code, message }: Partial<{ code: unknown; message: unknown }> =
    typeof error === 'object' && error !== null ? error : {};
  if (typeof code === 'number') return refusal(broker, code);
  const reason = message || code || 'it closed the connection';
  if (TLS.test(String(code))) {
    return new Q2cError(
      'BROKER_TLS_FAILED',
      `There is no secure connection to the broker at ${broker}: ${reason}. ` +
        'Check the TLS configuration: authority, name of the server, end of validity.',
      { cause: error },
    );
  }
  return new Q2cError(
    'BROKER_UNAVAILABLE',
    `The broker at ${broker} cannot be reached: ${reason}. Check the address and that the broker runs.`,
    { cause: error },
  );
}
