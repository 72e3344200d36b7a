import type { ChildProcess } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { run, start, until } from './command.ts';

/**
 * One region on this machine: a network of its own with two wires, and a process table of its own inside it.
 *
 * - `peers` (10.77.0.0/24) leads to the other regions: replication, etcd, Patroni among themselves. `cutOff` pulls this wire.
 * - `clients` (10.78.0.0/24) leads to this program, which plays the clients and their router.
 *
 * Killing the first process of the table kills all others in the same instant; that is how a region is lost. Its network stays, so that open
 * connections are reset at once, as they are when the lab kills a region. Nothing here has a name outside the namespaces that this program
 * runs in: whatever happens to it, the kernel takes all of it away.
 */
export class Site {
  readonly name: string;
  readonly peerHost: string;
  readonly clientHost: string;
  readonly #number: number;
  readonly #network: ChildProcess;
  #table: ChildProcess | undefined;
  #first = 0;

  private constructor(name: string, number: number, network: ChildProcess) {
    this.name = name;
    this.peerHost = `10.77.0.${number}`;
    this.clientHost = `10.78.0.${number}`;
    this.#number = number;
    this.#network = network;
  }

  /** @param number  1 to 250, unique among the sites that exist */
  static async create(name: string, number: number): Promise<Site> {
    const network = start('unshare', ['--net', 'sleep', 'infinity']);
    const ours = readlinkSync('/proc/self/ns/net');
    await until(`the network of ${name}`, () => (namespaceOf(network.pid) ?? ours) !== ours || undefined);
    const site = new Site(name, number, network);
    for (const wire of ['peers', 'clients'] as const) await site.#connect(wire);
    await site.#inNetwork(['ip', 'link', 'set', 'lo', 'up']);
    await site.#powerOn();
    return site;
  }

  async #connect(wire: 'peers' | 'clients'): Promise<void> {
    const [outside, address] = [`${wire}${this.#number}`, wire === 'peers' ? this.peerHost : this.clientHost];
    await run('ip', ['link', 'add', outside, 'type', 'veth', 'peer', 'name', wire, 'netns', String(this.#network.pid)]);
    await run('ip', ['link', 'set', outside, 'master', wire, 'up']);
    await this.#inNetwork(['ip', 'address', 'add', `${address}/24`, 'dev', wire]);
    await this.#inNetwork(['ip', 'link', 'set', wire, 'up']);
  }

  #inNetwork(words: readonly string[]): Promise<string> {
    return run('nsenter', [`--net=/proc/${this.#network.pid}/ns/net`, ...words]);
  }

  async #powerOn(): Promise<void> {
    const table = ['--pid', '--ipc', '--mount', '--mount-proc', '--fork', '--kill-child'];
    // A shell, because it collects the processes that lost their parent: PostgreSQL's are such.
    const words = ['unshare', ...table, 'sh', '-c', 'sleep infinity & wait'];
    this.#table = start('nsenter', [`--net=/proc/${this.#network.pid}/ns/net`, ...words]);
    const { pid } = this.#table;
    this.#first = await until(`the process table of ${this.name}`, () =>
      childrenOf(pid).find((child) => readOrNothing(`/proc/${child}/comm`).trim() === 'sh'),
    );
  }

  /** Starts a program in this region. The process returned stands outside and ends with it. */
  start(program: string, words: readonly string[], logFile: string): ChildProcess {
    return start('nsenter', ['--target', String(this.#first), '--pid', '--net', '--ipc', '--mount', program, ...words], logFile);
  }

  /** Kills every process of the region in one instant. */
  loseRegion(): void {
    if (this.#first > 0) process.kill(this.#first, 'SIGKILL');
    this.#first = 0;
  }

  /** Kills one program that `start` started, and nothing that it started itself. */
  killProgram(program: ChildProcess): void {
    for (const pid of childrenOf(program.pid)) process.kill(pid, 'SIGKILL');
  }

  /** From now on nothing passes between this region and the others; its clients still reach it. */
  async cutOff(): Promise<void> {
    await run('ip', ['link', 'set', `peers${this.#number}`, 'down']);
  }

  async remove(): Promise<void> {
    this.loseRegion();
    for (const holder of [this.#table, this.#network]) {
      if (!holder || holder.exitCode !== null || holder.signalCode !== null) continue;
      const ended = new Promise((resolve) => holder.once('exit', resolve));
      holder.kill('SIGKILL');
      await ended;
    }
    for (const wire of ['peers', 'clients']) await run('ip', ['link', 'delete', `${wire}${this.#number}`]).catch(() => '');
  }
}

/** The two switches that the regions' wires end in. Once, in the namespace that this program runs in. */
export async function createSwitches(): Promise<void> {
  await run('ip', ['link', 'set', 'lo', 'up']);
  for (const wire of ['peers', 'clients']) {
    await run('ip', ['link', 'add', wire, 'type', 'bridge']);
    await run('ip', ['link', 'set', wire, 'up']);
  }
  await run('ip', ['address', 'add', '10.78.0.254/24', 'dev', 'clients']);
}

const readOrNothing = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const childrenOf = (pid: number | undefined): readonly number[] =>
  readOrNothing(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((text) => text.trim() !== '')
    .map(Number);

function namespaceOf(pid: number | undefined): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}
