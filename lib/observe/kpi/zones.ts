/** Time zones of the legal entities, as plain data: figures are counted in the store's thread. */
export interface Zones {
  /** What is of none of them is counted in this one. */
  firm: string;
  /** By key of the legal entity in the firm's set-up. */
  legalEntities: Readonly<Record<string, string>>;
}

/** Time zone of a legal entity; of the firm when it is null or not known. */
export type ZoneOf = (legalEntity: string | null) => string;

export const zoneIn =
  ({ firm, legalEntities }: Zones): ZoneOf =>
  (legalEntity) =>
    legalEntities[legalEntity ?? ''] ?? firm;
