import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../errors.ts';
import { HttpServer } from '../incident/http-server.ts';
import { endWithParent, tellParent } from './child-program.ts';
import { type WitnessedTree, type WitnessMemory, witness } from './witness.ts';

/**
 * A witness in a process of its own, over HTTP: `node witness-process.ts <directory> <port>`. In the directory: `seed` of its key, `logs` that it knows (a verifier key a line), and
 * `seen.json`, which it makes. Says its verifier key when it listens.
 */
const [, , dir = '', port = ''] = process.argv;
const Seen = z.record(z.string(), z.strictObject({ size: z.int().min(0), root: z.base64() }));

/** A file that is replaced whole, before an answer goes out. */
class FileMemory implements WitnessMemory {
  readonly #path = join(dir, 'seen.json');
  readonly #seen: z.output<typeof Seen>;

  constructor() {
    this.#seen = this.#read();
  }

  get(origin: string): WitnessedTree | undefined {
    const known = this.#seen[origin];
    return known && { size: known.size, root: Buffer.from(known.root, 'base64') };
  }

  set(origin: string, { size, root }: WitnessedTree): void {
    this.#seen[origin] = { size, root: root.toString('base64') };
    writeFileSync(`${this.#path}.partial`, JSON.stringify(this.#seen), { mode: 0o600 });
    renameSync(`${this.#path}.partial`, this.#path);
  }

  #read(): z.output<typeof Seen> {
    try {
      return Seen.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return {};
      throw error;
    }
  }
}

const keys = readFileSync(join(dir, 'logs'), 'utf8').split('\n').filter(Boolean);
const { verifierKey, addCheckpoint } = witness({
  name: 'witness.lab',
  seed: readFileSync(join(dir, 'seed')),
  logs: new Map(keys.map((key) => [key.slice(0, key.indexOf('+')), key])),
  memory: new FileMemory(),
  now: () => new Date(),
});
await HttpServer.open(
  async ({ method, path, body }) => {
    const isAsked = method === 'POST' && path === '/add-checkpoint';
    const answer = isAsked ? addCheckpoint(body) : { status: 404, contentType: 'text/plain', body: '' };
    return { status: answer.status, headers: { 'content-type': answer.contentType }, body: answer.body };
  },
  undefined,
  Number(port),
);
endWithParent();
tellParent(verifierKey);
