/** The seed of a random test: `Q2C_SEED`, else a new one. It is printed, so that a failure can be had again. */
export function chosenSeed(test: string): number {
  const seed = Number(process.env.Q2C_SEED ?? Math.floor(Math.random() * 1_000_000));
  process.stdout.write(`${test}: Q2C_SEED=${seed}\n`);
  return seed;
}
