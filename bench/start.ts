import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Host } from '../test/support/host';
import { makeUserDir } from '../test/support/pack';
import { median } from './median';

export interface StartFigures {
  startPlainMs: number;
  startPackMs: number;
  startAddedMs: number;
  startAddedMb: number;
}

interface Start {
  ms: number;
  mb: number;
}

/** Starts Node-RED without flows, with and without the pack in turn; medians of time to "Started flows" and memory. */
export async function measureStart(times: number): Promise<StartFigures> {
  const packDir = await makeUserDir();
  const plainDir = await mkdtemp(join(tmpdir(), 'q2c-plain-'));
  await writeFile(join(plainDir, 'package.json'), '{ "name": "user-dir", "private": true }\n');
  const plain: Start[] = [];
  const pack: Start[] = [];
  try {
    for (let time = 0; time < times; time++) {
      plain.push(await start(plainDir));
      pack.push(await start(packDir));
    }
  } finally {
    for (const dir of [packDir, plainDir]) await rm(dir, { recursive: true, force: true });
  }
  const added = pack.map((with_, index) => ({
    ms: with_.ms - (plain[index]?.ms ?? 0),
    mb: with_.mb - (plain[index]?.mb ?? 0),
  }));
  return {
    startPlainMs: median(plain.map(({ ms }) => ms)),
    startPackMs: median(pack.map(({ ms }) => ms)),
    startAddedMs: median(added.map(({ ms }) => ms)),
    startAddedMb: median(added.map(({ mb }) => mb)),
  };
}

async function start(userDir: string): Promise<Start> {
  const before = performance.now();
  const host = await Host.start({ userDir });
  const ms = performance.now() - before;
  const status = await readFile(`/proc/${host.pid}/status`, 'utf8');
  const kb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  await host.stop();
  return { ms: Math.round(ms), mb: Math.round(kb / 1024) };
}
