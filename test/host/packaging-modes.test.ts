import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { chmod, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPack } from '../../scripts/start/pack';
import { Host } from '../support/host';
import { nodeRed41 } from '../support/node-red-41';
import { makeUserDir } from '../support/pack';
import { until } from '../support/until';
import { Simulator } from '../support/vendors';
import { templateFlow, World } from '../support/world';

/** The packed pack where Node-RED is not simply started: safe mode and no place to write, in both versions; removed and installed again. */

jest.setTimeout(120_000);

const run = promisify(execFile);
const PACK = '@quote-to-cash/node-red';
const COUNTS = '/q2c/api/v1/runs/counts';

let simulator: Simulator;
let host: Host;
let world: World;

beforeEach(async () => {
  simulator = await Simulator.start();
});

afterEach(async () => {
  await host?.dispose();
  await simulator?.stop();
});

async function prepare(options: Parameters<typeof Host.prepare>[0] = {}): Promise<void> {
  const env = { Q2C_SIMULATOR_URL: simulator.url };
  host = await Host.prepare({ env, flow: templateFlow(), ...options });
  world = new World(simulator, host);
}

const status = async (path: string) => (await fetch(host.url + path)).status;

/** Closes deals and waits until they went through, besides those that did before. */
async function dealsGoThrough(count: number, before = 0): Promise<void> {
  await simulator.closeDeals(count);
  const runs = await world.settled(before + count);
  expect(runs.map(({ state }) => state)).toEqual(runs.map(() => 'completed'));
}

describe.each(['5.0', '4.1'])('Node-RED %s', (version) => {
  let nodeRed: string | undefined;

  // The first run on a machine installs Node-RED 4.1.
  beforeAll(async () => {
    if (version === '4.1') nodeRed = await nodeRed41();
  }, 180_000);

  test('in safe mode nothing is polled or opened until somebody deploys', async () => {
    await prepare({ nodeRed });
    await host.start({ NODE_RED_ENABLE_SAFE_MODE: 'true' }, /Flows stopped in safe mode/);
    expect(await status('/flows')).toBe(200);
    expect(await status(COUNTS)).toBe(404);
    expect(await readdir(host.userDir)).not.toContain('quote-to-cash');
    expect(await simulator.requestCount('salesforce')).toBe(0);

    await world.deploy(templateFlow());
    await simulator.polledAgain();
    await dealsGoThrough(1);
  });

  describe('a user directory that nobody may write to', () => {
    /** Root may write everywhere; the host gives that right up. */
    const through =
      process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override'] : [];

    async function startReadOnly(path: string): Promise<void> {
      const flow = templateFlow((node) => {
        if (node.type === 'q2c-store') node.path = path;
      });
      await prepare({ nodeRed, flow, through, settings: { readOnly: true } });
      await chmod(host.userDir, 0o555);
      await host.start();
    }

    afterEach(() => chmod(host.userDir, 0o755));

    test('the store says so, the host lives, and nothing is fetched that could not be kept', async () => {
      await startReadOnly('');
      await until(
        'the store to complain',
        () => host.output.includes('The store cannot be opened at'),
        30_000,
      );
      expect(host.output).toMatch(/EACCES: .*quote-to-cash.*Check that the folder exists, is writable/);
      expect(await status('/flows')).toBe(200);
      expect(await status(COUNTS)).toBe(404);
      expect(host.ending).toBeNull();
      expect(await simulator.requestCount('salesforce')).toBe(0);
    });

    test('deals go through when the store lies elsewhere', async () => {
      const elsewhere = await mkdtemp(join(tmpdir(), 'q2c-volume-'));
      await startReadOnly(join(elsewhere, 'q2c.db'));
      await simulator.polledAgain();
      await dealsGoThrough(1);
      expect(await readdir(host.userDir)).not.toContain('quote-to-cash');
    });
  });
});

describe('removed and installed again', () => {
  let tarball: string;

  beforeAll(async () => {
    const installed = join(await makeUserDir(), 'node_modules', PACK);
    const folder = await mkdtemp(join(tmpdir(), 'q2c-again-'));
    const options = ['--json', '--ignore-scripts', '--pack-destination', folder];
    await run('npm', ['pack', installed, ...options], { cwd: folder });
    const [file] = await readdir(folder);
    tarball = join(folder, file ?? '');
  });

  test('while the host is down: flows and runs are as they were', async () => {
    await prepare();
    await host.start();
    await simulator.polledAgain();
    await dealsGoThrough(2);
    const [flows, runs] = [await host.flows(), await world.runs()];
    await host.stop();

    await run('npm', ['remove', PACK, '--offline', '--no-audit', '--no-fund'], { cwd: host.userDir });
    await host.start({}, /Waiting for missing types/);
    // It says so before it listens.
    await until(
      'the host to answer',
      async () => (await status('/flows').catch(() => 0)) === 200,
      30_000,
      50,
    );
    expect(await host.flows()).toEqual(flows);
    await host.stop();

    await installPack(tarball, host.userDir);
    await world.startHost();
    expect(await host.flows()).toEqual(flows);
    expect(await world.runs()).toEqual(runs);
    await dealsGoThrough(1, 2);
  });

  test('by the palette manager of a running host', async () => {
    await prepare({ settings: { editorTheme: { tours: false, palette: { editable: true } } } });
    await host.start();
    await simulator.polledAgain();
    await dealsGoThrough(1);
    const flows = await host.flows();

    // Node-RED removes no pack whose nodes are in use.
    await expect(host.request('DELETE', `/nodes/${PACK}`)).rejects.toThrow('type_in_use');
    await host.deploy([]);
    await host.request('DELETE', `/nodes/${PACK}`);
    expect(await readdir(join(host.userDir, 'node_modules/@quote-to-cash'))).toEqual([]);

    await upload(tarball);
    await world.deploy(flows);
    expect(await world.runs()).toHaveLength(1);
    await dealsGoThrough(1, 1);
  });

  /** As the button of the palette manager does. */
  async function upload(file: string): Promise<void> {
    const form = new FormData();
    form.append('tarball', await openAsBlob(file), 'pack.tgz');
    const response = await fetch(`${host.url}/nodes`, { method: 'POST', body: form });
    expect([response.status, await response.json()]).toEqual([
      200,
      expect.objectContaining({ name: PACK, nodes: expect.anything() }),
    ]);
  }
});
