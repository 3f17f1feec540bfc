import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { NextFunction, Request, Response } from 'express';
import type { NodeAPI } from 'node-red';

/**
 * Serves the operations page at `<admin root>/q2c/`. Its files hold no data, so they need no permission: a browser asks for
 * them without the token. All data comes through the API, which checks.
 */

/** Beside `dist/`, where this code runs. */
const folder = join(__dirname, '../resources/console');

/** Where the page wants the nonce of its answer (console/vite.config.ts). */
const NONCE_PLACE = 'NONCE_OF_THIS_ANSWER';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface File {
  type: string;
  plain: Buffer;
  gzipped: Buffer;
  etag: string;
}

const zip = promisify(gzip);
/** By name; the files of an installed pack do not change. */
const files = new Map<string, Promise<File>>();

export function registerConsole(RED: NodeAPI): void {
  RED.httpAdmin.get('/q2c', (request: Request, response: Response, next: NextFunction) => {
    // Addresses of the page are relative to its folder; `/q2c/` comes by here too.
    if (request.path.endsWith('/')) sendPage(response).catch(next);
    else response.redirect(301, `${request.baseUrl}${request.path}/`);
  });
  RED.httpAdmin.get(
    ['/q2c/icon.svg', '/q2c/assets/:name'],
    (request: Request, response: Response, next: NextFunction) => {
      const name = request.params.name === undefined ? 'icon.svg' : `assets/${request.params.name}`;
      sendFile(name, request, response).catch(next);
    },
  );
}

/** Nothing but our own files runs or is loaded, and nobody frames the page. Vuetify writes its theme with the nonce. */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

async function sendPage(response: Response): Promise<void> {
  const { plain, type } = await load('index.html');
  const nonce = randomBytes(16).toString('base64url');
  response
    .set({
      'Content-Type': type,
      'Content-Security-Policy': policy(nonce),
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    })
    .send(plain.toString('utf8').replaceAll(NONCE_PLACE, nonce));
}

async function sendFile(name: string, request: Request, response: Response): Promise<void> {
  if (!/^(assets\/)?[\w.-]+$/.test(name)) {
    response.sendStatus(404);
    return;
  }
  const file = await load(name).catch(() => null);
  if (file === null) {
    response.sendStatus(404);
    return;
  }
  response.set({
    'Content-Type': file.type,
    // Names of assets hold a digest of their content.
    'Cache-Control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: file.etag,
    Vary: 'Accept-Encoding',
    'X-Content-Type-Options': 'nosniff',
  });
  if (request.fresh) {
    response.status(304).end();
  } else if (request.acceptsEncodings('gzip')) {
    response.set('Content-Encoding', 'gzip').send(file.gzipped);
  } else {
    response.send(file.plain);
  }
}

function load(name: string): Promise<File> {
  const known = files.get(name);
  if (known !== undefined) return known;
  const loading = read(name);
  files.set(name, loading);
  // A name that does not exist must not be remembered: anybody may ask for any.
  loading.catch(() => files.delete(name));
  return loading;
}

async function read(name: string): Promise<File> {
  const plain = await readFile(join(folder, name));
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    plain,
    gzipped: await zip(plain, { level: 9 }),
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
  };
}
