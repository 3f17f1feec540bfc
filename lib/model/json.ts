/** Any value that JSON can carry. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object; `undefined` members are dropped when it is written. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}
