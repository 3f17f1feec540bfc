declare const sealed: unique symbol;

/** Payload text, encrypted when the store has a key: written through `seal`, read through `open` (encryption.ts). */
export interface Sealed {
  readonly [sealed]: true;
}
