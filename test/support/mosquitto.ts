import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerSettings } from '../../lib/events/broker';
import { endWithUs } from './children';
import { freePort } from './free-port';
import { until } from './until';

/** Mosquitto of the machine; `Q2C_MOSQUITTO` names another one. Null when there is none. */
export const mosquittoProgram =
  [process.env.Q2C_MOSQUITTO, '/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(
    (path) => path !== undefined && existsSync(path),
  ) ?? null;

export interface MosquittoOptions {
  /** The only one who may sign in; everybody may without it. */
  user?: { name: string; password: string };
  /** Only TLS, with a certificate of this authority for `localhost`. */
  authority?: Authority;
}

/** The broker that most people run, in a process of its own that can be stopped and started again. */
export class Mosquitto {
  private child: ChildProcess | null = null;
  private log = '';

  private constructor(
    private readonly program: string,
    private readonly folder: string,
    private readonly port: number,
    private readonly isSecure: boolean,
  ) {}

  static async start({ user, authority }: MosquittoOptions = {}): Promise<Mosquitto> {
    if (mosquittoProgram === null) throw new Error('Mosquitto is not installed.');
    const folder = await mkdtemp(join(tmpdir(), 'q2c-mosquitto-'));
    const broker = new Mosquitto(mosquittoProgram, folder, await freePort(), authority !== undefined);
    const lines = [
      `listener ${broker.port} 127.0.0.1`,
      'persistence true',
      `persistence_location ${folder}/`,
      // Started as root it would go on as a user who may not write here.
      ...(process.getuid?.() === 0 ? ['user root'] : []),
    ];
    if (user === undefined) lines.push('allow_anonymous true');
    else {
      lines.push('allow_anonymous false', `password_file ${join(folder, 'passwords')}`);
      await writeFile(join(folder, 'passwords'), `${user.name}:${passwordHash(user.password)}\n`, {
        mode: 0o600,
      });
    }
    if (authority !== undefined) {
      const { certificate, key } = authority.certify('localhost', folder);
      lines.push(`certfile ${certificate}`, `keyfile ${key}`);
    }
    await writeFile(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`);
    await broker.start();
    return broker;
  }

  get settings(): BrokerSettings {
    const url = this.isSecure ? `mqtts://localhost:${this.port}` : `mqtt://127.0.0.1:${this.port}`;
    return { url, protocolVersion: 5 };
  }

  async start(): Promise<void> {
    const child = endWithUs(spawn(this.program, ['-c', join(this.folder, 'mosquitto.conf')]));
    this.child = child;
    for (const output of [child.stdout, child.stderr]) output.on('data', (text) => (this.log += text));
    await until('Mosquitto to listen', async () => {
      if (child.exitCode !== null) throw new Error(`Mosquitto ended with ${child.exitCode}:\n${this.log}`);
      return listens(this.port);
    });
  }

  /** As the operator does it: sessions and waiting messages are on the disk. */
  async stop(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A certificate authority of its own, made by the `openssl` program. */
export class Authority {
  private readonly files: CertificateFiles;

  /** @param folder where its files lie */
  constructor(folder: string, name: string) {
    this.files = makeCertificate(folder, name);
  }

  /** PEM. */
  get certificate(): string {
    return readFileSync(this.files.certificate, 'utf8');
  }

  certify(host: string, folder: string): CertificateFiles {
    const { certificate, key } = this.files;
    const signed = ['-CA', certificate, '-CAkey', key, '-addext', `subjectAltName=DNS:${host}`];
    return makeCertificate(folder, host, signed);
  }
}

interface CertificateFiles {
  certificate: string;
  key: string;
}

function makeCertificate(folder: string, name: string, more: string[] = []): CertificateFiles {
  const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  const args = ['req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-out', certificate, ...more];
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  return { certificate, key };
}

/** As `mosquitto_passwd` writes them: PBKDF2 with SHA-512. */
function passwordHash(password: string): string {
  const [salt, rounds] = [randomBytes(12), 101];
  const hash = pbkdf2Sync(password, salt, rounds, 64, 'sha512');
  return `$7$${rounds}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
