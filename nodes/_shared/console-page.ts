import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Express, NextFunction, Request, Response } from 'express';

/**
 * Serves the operations page at `<admin root>/q2c/`. Its files hold no data, so they need no permission: a browser asks for
 * them without the token. All data comes through the API, which checks.
 */

/** Beside `dist/`, where this code runs. */
const FOLDER = join(__dirname, '../resources/console');

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
/** By path; the files of an installed pack do not change. */
const files = new Map<string, Promise<File>>();

/** @param folder what the build has made */
export function registerConsole(admin: Pick<Express, 'get'>, folder = FOLDER): void {
  admin.get('/q2c', (request: Request, response: Response, next: NextFunction) => {
    // Addresses of the page are relative to its folder; `/q2c/` comes by here too.
    if (request.path.endsWith('/')) sendPage(folder, response).catch(next);
    else response.redirect(301, `${request.baseUrl}${request.path}/`);
  });
  admin.get(
    ['/q2c/icon.svg', '/q2c/assets/:name'],
    (request: Request, response: Response, next: NextFunction) => {
      const name = request.params.name === undefined ? 'icon.svg' : `assets/${request.params.name}`;
      sendFile(folder, name, request, response).catch(next);
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

async function sendPage(folder: string, response: Response): Promise<void> {
  const { plain, type } = await load(join(folder, 'index.html'));
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

async function sendFile(folder: string, name: string, request: Request, response: Response): Promise<void> {
  if (!/^(assets\/)?[\w.-]+$/.test(name)) {
    response.sendStatus(404);
    return;
  }
  const file = await load(join(folder, name)).catch(() => null);
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

function load(path: string): Promise<File> {
  const known = files.get(path);
  if (known !== undefined) return known;
  const loading = read(path);
  files.set(path, loading);
  // A name that does not exist must not be remembered: anybody may ask for any.
  loading.catch(() => files.delete(path));
  return loading;
}

async function read(path: string): Promise<File> {
  const plain = await readFile(path);
  return {
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    plain,
    gzipped: await zip(plain, { level: 9 }),
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
  };
}
