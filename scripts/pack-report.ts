/**
 * `npm run pack:report [-- --rounds 5]`: what the published pack weighs and how long it takes to install, as the table
 * of bench/RESULTS.md. Nothing is downloaded: the pack has no dependencies.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { installPack, packTarball } from './start/pack';

const PACK = 'node_modules/@quote-to-cash/node-red';

interface PackedFile {
  path: string;
  bytes: number;
}

function filesOf(folder: string): PackedFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => ({ path, stats: statSync(join(folder, path)) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ path, stats }) => ({ path, bytes: stats.size }));
}

const sum = (files: PackedFile[]): number => files.reduce((total, { bytes }) => total + bytes, 0);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

/** What the editor loads of the pack: forms and their scripts, as they are and compressed. */
function editorWeight(folder: string, files: PackedFile[]): string {
  const html = files.filter(({ path }) => /^dist\/[\w-]+\.html$/.test(path));
  const text = Buffer.concat(html.map(({ path }) => readFileSync(join(folder, path))));
  return `${Math.round(text.length / 1e3)} kB (${Math.round(gzipSync(text).length / 1e3)} kB compressed)`;
}

async function report(rounds: number): Promise<void> {
  const began = performance.now();
  const packed = await packTarball();
  const packing = performance.now() - began;
  const folder = mkdtempSync(join(tmpdir(), 'q2c-report-'));
  try {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const userDir = join(folder, String(round));
      const start = performance.now();
      await installPack(packed.file, userDir);
      times.push(performance.now() - start);
    }
    const installed = join(folder, '0', PACK);
    const files = filesOf(installed).sort((a, b) => b.bytes - a.bytes);
    const largest = files.slice(0, 6).map(({ path, bytes }) => `${path} ${megabytes(bytes)}`);
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const rows = [
      ['tarball', megabytes(statSync(packed.file).size)],
      ['unpacked', `${megabytes(sum(files))}, ${files.length} files, no dependencies`],
      ['largest files', largest.join(', ')],
      ['what the editor loads', editorWeight(installed, files)],
      ['build and pack', seconds(packing)],
      ['install into a user directory', times.map(seconds).join(', ')],
    ];
    console.log(
      ['| figure | value |', '| --- | --- |', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n'),
    );
  } finally {
    for (const path of [folder, packed.folder]) rmSync(path, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
void report(Number(values.rounds));
