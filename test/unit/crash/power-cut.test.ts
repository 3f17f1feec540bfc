import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { cutPower, recordFlushes } from '../../crash/power-cut';

const onLinux = process.platform === 'linux' ? test : test.skip;

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'q2c-power-'));
  path = join(folder, 'store.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process that works on a database and is killed. `flush()` brings the log to the disk as the store does. */
function killedAfter(work: string): void {
  const program = `
    const { DatabaseSync } = require('node:sqlite');
    const { open } = require('node:fs/promises');
    (async () => {
      const db = new DatabaseSync(${JSON.stringify(path)});
      db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 0');
      db.exec('create table if not exists line (text text)');
      const log = await open(${JSON.stringify(`${path}-wal`)}, 'r');
      const write = (text) => db.prepare('insert into line values (?)').run(text);
      const flush = () => log.datasync();
      ${work}
      process.kill(process.pid, 'SIGKILL');
    })();`;
  const { signal } = spawnSync(process.execPath, ['-e', program], {
    env: { ...process.env, ...recordFlushes },
    stdio: 'inherit',
  });
  expect(signal).toBe('SIGKILL');
}

function lines(): unknown[] {
  const db = new DatabaseSync(path);
  const rows = db.prepare('select text from line').all();
  db.close();
  return rows.map(({ text }) => text);
}

onLinux('what was flushed stays, what was only committed goes', () => {
  killedAfter(`write('flushed'); await flush(); write('committed');`);
  expect(cutPower(path)).toBeGreaterThan(0);
  expect(lines()).toEqual(['flushed']);
});

onLinux('a kill alone takes nothing that was committed', () => {
  killedAfter(`write('flushed'); await flush(); write('committed');`);
  expect(lines()).toEqual(['flushed', 'committed']);
});

onLinux('what was moved into the database is on the disk, also without a flush of ours', () => {
  killedAfter(`write('moved'); db.exec('pragma wal_checkpoint(passive)'); write('committed');`);
  cutPower(path);
  expect(lines()).toEqual(['moved']);
});

onLinux('a flush before the log began anew says nothing about what it holds now', () => {
  killedAfter(
    `write('old'); await flush(); db.exec('pragma wal_checkpoint(restart)'); write('new'); write('newer');`,
  );
  cutPower(path);
  expect(lines()).toEqual(['old']);
});

test('of two flushes at once the one that saw more of the log is what counts, whichever ends last', () => {
  const { isLater } = jest.requireActual<{ isLater(header: Buffer, other: Buffer | null): boolean }>(
    '../../crash/flush-recorder.cjs',
  );
  const header = (frames: number, salt: string) => {
    const made = Buffer.alloc(48);
    made.writeUInt32LE(frames, 16);
    made.write(salt, 32, 'latin1');
    return made;
  };
  expect(isLater(header(7, 'same log'), header(9, 'same log'))).toBe(false);
  expect(isLater(header(9, 'same log'), header(7, 'same log'))).toBe(true);
  expect(isLater(header(1, 'next log'), header(9, 'same log'))).toBe(true);
  expect(isLater(header(1, 'same log'), null)).toBe(true);
});

onLinux('a process that starts after a kill keeps what it finds, and loses what it writes', () => {
  killedAfter(`write('first'); await flush(); write('second');`);
  killedAfter(`write('third');`);
  cutPower(path);
  expect(lines()).toEqual(['first', 'second']);
});
