import { newId } from '../lib/model';
import { FakeVendor, startEngine } from '../test/support/engine';

async function main() {
  const { engine, stop } = await startEngine({ path: `/tmp/ab/${process.pid}.db` });
  const vendor = new FakeVendor();
  const run = (await engine.oneOff('s', newId('opportunity'), 'x')).run.id;
  const pass = async (n: number) => {
    const t = performance.now();
    for (let i = 0; i < n; i += 32)
      await Promise.all(Array.from({ length: 32 }, () => engine.step(run, vendor.step())));
    return (n / (performance.now() - t)) * 1000;
  };
  await pass(3200);
  const rates: number[] = [];
  for (let k = 0; k < 5; k++) rates.push(Math.round(await pass(6400)));
  console.log(rates.join(' '), 'steps/s');
  await stop();
}
main();
