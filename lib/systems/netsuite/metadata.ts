import * as z from 'zod';
import type { JsonValue } from '../../model';
import { type HttpClient, type HttpResponse, parseReply } from '../kit';

const CATALOGUE = '/services/rest/record/v1/metadata-catalog';

/** The JSON Schema of a record type, with the fields that role, form and features let the login see. */
const schemaReply = z.object({
  properties: z.record(
    z.string(),
    z.looseObject({ type: z.string().optional(), maxLength: z.number().optional() }),
  ),
});
export type RecordSchema = z.infer<typeof schemaReply>;

/**
 * What the account says of itself, for "Test connection".
 * Source: Oracle help "Getting Metadata", "The REST API Browser", "GovernanceLimits operation".
 */
export class Metadata {
  readonly #http: HttpClient;
  readonly #system: string;

  constructor(http: HttpClient, system: string) {
    this.#http = http;
    this.#system = system;
  }

  /** The list of record types; only asked for to see whether the REST services are open to the login. */
  async recordTypes(signal: AbortSignal): Promise<HttpResponse> {
    return this.#http.request({ method: 'GET', path: CATALOGUE, signal });
  }

  /** @throws SystemError kind `not_found` when the login may not see the record type, or there is none. */
  async recordSchema(type: string, signal: AbortSignal): Promise<RecordSchema> {
    const reply = await this.#http.request({
      method: 'GET',
      path: `${CATALOGUE}/${type}`,
      headers: { accept: 'application/schema+json' },
      signal,
    });
    return parseReply(schemaReply, reply, {
      system: this.#system,
      what: `the schema of ${type}`,
      write: false,
    });
  }

  /** Open to administrators only. */
  async governanceLimits(signal: AbortSignal): Promise<JsonValue> {
    const reply = await this.#http.request({
      method: 'GET',
      path: '/services/rest/system/v1/governanceLimits',
      signal,
    });
    return reply.body;
  }
}
