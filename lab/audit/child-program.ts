import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LabUnavailable } from '../errors.ts';

/** A program of the lab in a process of its own. It tells lines, the first when it is ready, and ends with its standard input: with the lab, however that ends. */
export class ChildProgram {
  /** What it said when it was ready. */
  readonly ready: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: string) {
    this.#child = child;
    this.ready = ready;
  }

  /** @param onLine gets every line after the first @throws LabUnavailable when it ends before it is ready */
  static start(script: string, words: readonly string[], onLine: (line: string) => void = () => {}): Promise<ChildProgram> {
    const child = spawn(process.execPath, [script, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
    return new Promise((resolve, reject) => {
      let said: string | undefined;
      createInterface(child.stdout).on('line', (line) => {
        if (said !== undefined) return onLine(line);
        said = line;
        resolve(new ChildProgram(child, line));
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new LabUnavailable(`${script} ended with ${signal ?? code} before it was ready`)));
    });
  }

  /** Ends it at once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** For the program itself: says a line, and makes it end with its standard input. */
export function tellParent(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function endWithParent(): void {
  process.stdin.on('end', () => process.exit(0)).resume();
}
