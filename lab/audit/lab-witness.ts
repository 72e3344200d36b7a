import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../postgres/port.ts';
import { ChildProgram } from './child-program.ts';

const script = fileURLToPath(new URL('./witness-process.ts', import.meta.url));

/** Somebody outside who cosigns: a process with a key, a port and a memory of its own. It can be killed, and comes back with what it had seen. */
export class LabWitness {
  readonly url: string;
  readonly verifierKey: string;
  readonly #dir: string;
  readonly #port: number;
  #program: ChildProgram;

  private constructor(dir: string, port: number, program: ChildProgram) {
    this.#dir = dir;
    this.#port = port;
    this.#program = program;
    this.url = `http://127.0.0.1:${port}`;
    this.verifierKey = program.ready;
  }

  /** @param logs verifier keys of the logs that it shall know @throws LabUnavailable */
  static async open(dir: string, logs: readonly string[]): Promise<LabWitness> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, 'seed'), randomBytes(32), { mode: 0o600 });
    writeFileSync(join(dir, 'logs'), `${logs.join('\n')}\n`, { mode: 0o600 });
    const port = await freePort();
    return new LabWitness(dir, port, await begin(dir, port));
  }

  async kill(): Promise<void> {
    await this.#program.kill();
  }

  /** Where it was, with what it had seen. @throws LabUnavailable */
  async revive(): Promise<void> {
    this.#program = await begin(this.#dir, this.#port);
  }
}

const begin = (dir: string, port: number): Promise<ChildProgram> => ChildProgram.start(script, [dir, String(port)]);
