import * as z from 'zod';
import type { JsonObject, JsonValue } from '../../model';
import { type HttpClient, type HttpResponse, ifPresent, parseReply, SystemError } from '../kit';

export type RecordType =
  | 'customer'
  | 'contact'
  | 'job'
  | 'projectTask'
  | 'billingSchedule'
  | 'charge'
  | 'salesOrder'
  | 'invoice'
  | 'customerPayment';

/** A record as the REST record service shows it: `id` and the fields that were asked for. */
export type NetSuiteRecord = { id: string } & Record<string, JsonValue | undefined>;

const record = z.looseObject({ id: z.union([z.string().min(1), z.number()]).transform(String) });

/**
 * By default NetSuite drops fields it does not know, or does not show on the form of the role, without a word.
 * A dropped project or billing schedule would be found at invoicing time: such a write must be refused.
 */
const STRICT = {
  'X-NetSuite-PropertyNameValidation': 'Error',
  'X-NetSuite-PropertyValueValidation': 'Error',
};

/** The REST record service of one account: `/services/rest/record/v1`. */
export class RecordService {
  readonly #http: HttpClient;
  readonly #system: string;

  constructor(http: HttpClient, system: string) {
    this.#http = http;
    this.#system = system;
  }

  /**
   * The record that carries our key, or null when there is certainly none.
   * @throws SystemError `unknown` when the answer does not say which record it is.
   */
  async find(
    type: RecordType,
    externalId: string,
    fields: readonly string[],
    signal: AbortSignal,
  ): Promise<NetSuiteRecord | null> {
    return this.get(type, `eid:${externalId}`, ['externalId', ...fields], signal);
  }

  /**
   * As `read`, but null when there is certainly no such record.
   * @throws SystemError `unknown` when the answer does not say which record it is.
   */
  async get(
    type: RecordType,
    id: string,
    fields: readonly string[],
    signal: AbortSignal,
  ): Promise<NetSuiteRecord | null> {
    return ifPresent(() => this.read(type, id, { fields: fields.join(',') }, signal), isMissing);
  }

  /** @param id internal id, or `eid:` and an external id. */
  async read(
    type: RecordType,
    id: string,
    query: { fields?: string; expandSubResources?: boolean },
    signal: AbortSignal,
  ): Promise<NetSuiteRecord> {
    const reply = await this.#http.request({ method: 'GET', path: pathOf(type, id), query, signal });
    // An answer without id proves neither that the record is there nor that it is missing.
    return parseReply(record, reply, {
      system: this.#system,
      what: `GET ${type}`,
      write: true,
    }) as NetSuiteRecord;
  }

  /**
   * Creates the record with our key, or updates the one that has it.
   *
   * @param replace sublists that are replaced as a whole: else NetSuite would append the lines once more.
   * @returns the internal id.
   * @throws SystemError `unknown` when the answer does not name the record.
   */
  async upsert(
    type: RecordType,
    externalId: string,
    body: JsonObject,
    options: { replace?: string; signal: AbortSignal },
  ): Promise<string> {
    const reply = await this.#http.request({
      method: 'PUT',
      path: pathOf(type, `eid:${externalId}`),
      query: { replace: options.replace },
      headers: STRICT,
      json: body,
      signal: options.signal,
    });
    return this.#idInLocation(type, reply);
  }

  /** Changes the given fields. Setting them again changes nothing more, so a lost reply may be repeated. */
  async update(type: RecordType, id: string, body: JsonObject, signal: AbortSignal): Promise<void> {
    const path = pathOf(type, id);
    await this.#http.request({
      method: 'PATCH',
      path,
      headers: STRICT,
      json: body,
      noContent: true,
      safe: true,
      signal,
    });
  }

  /** Deletes; a record that is gone already is fine. */
  async remove(type: RecordType, id: string, signal: AbortSignal): Promise<void> {
    const path = pathOf(type, id);
    const request = { method: 'DELETE', path, noContent: true, safe: true, signal } as const;
    await ifPresent(() => this.#http.request(request), isMissing);
  }

  /** One id of the type, to see whether the role may list it. */
  async probePermission(type: string, signal: AbortSignal): Promise<void> {
    await this.#http.request({
      method: 'GET',
      path: `/services/rest/record/v1/${type}`,
      query: { limit: 1 },
      signal,
    });
  }

  #idInLocation(type: RecordType, { headers, status }: HttpResponse): string {
    const id = /\/record\/v1\/[^/]+\/(\d+)\/?$/.exec(headers.location ?? '')?.[1];
    if (id !== undefined) return id;
    throw new SystemError({
      system: this.#system,
      kind: 'unknown',
      status,
      reason: `the answer to PUT ${type} does not name the record that was written`,
    });
  }
}

/** Only this code says that the record is missing; any other 404 may be a wrong address or a missing permission. */
const isMissing = ({ vendorCode }: SystemError): boolean => vendorCode === 'NONEXISTENT_ID';

/** A colon stays as it is: Oracle's samples write `eid:KEY`, and an encoded one would have to be signed twice. */
function pathOf(type: RecordType, id: string): string {
  return `/services/rest/record/v1/${type}/${encodeURIComponent(id).replaceAll('%3A', ':')}`;
}
