import { createServer, type Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../functions/common/clock.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';
import { CoordinationRecord } from '../../functions/failover/models.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { labCoordination } from '../../lab/failover/coordination.ts';
import { Faults } from '../../lab/network/faults.ts';
import { livingClock, livingPort } from '../../lab/network/life.ts';
import { Link } from '../../lab/network/link.ts';
import { removeDir, temporaryDir } from './support/labs.ts';

const primary = Region.parse('us-east-1');
const standby = Region.parse('us-west-2');
const watcher = Region.parse('eu-west-1');
const witness = Region.parse('us-east-2');

describe('a link', () => {
  let target: Server;
  let link: Link;
  const seen: Socket[] = [];
  beforeEach(async () => {
    seen.length = 0;
    target = createServer((socket) => {
      seen.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => socket.write(bytes));
    });
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const address = target.address();
    link = await Link.open(typeof address === 'object' && address ? address.port : 0);
  });
  afterEach(() => {
    link.close();
    for (const socket of seen) socket.destroy();
    target.close();
  });

  /** To the target and back, past the link. */
  async function roundTrip() {
    const address = target.address();
    const { socket, said } = await caller(typeof address === 'object' && address ? address.port : 0);
    socket.write('round');
    await expect.poll(said).toBe('round');
    socket.destroy();
  }

  async function caller(port = link.port) {
    const socket = new Socket();
    socket.on('error', () => {});
    let text = '';
    let closed = false;
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.on('close', () => {
      closed = true;
    });
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
    return { socket, said: () => text, isClosed: () => closed };
  }

  it('that is cut is a black hole: nobody is told, and what was sent arrives when it is mended', async () => {
    const before = await caller();
    before.socket.write('a');
    await expect.poll(before.said).toBe('a');
    link.set('cut');
    before.socket.write('b');
    const during = await caller(); // a connection is taken, and leads nowhere
    during.socket.write('c');
    await roundTrip(); // what passes at all has passed by now
    expect([before.said(), during.said(), before.isClosed(), during.isClosed()]).toEqual(['a', '', false, false]);
    link.set('open');
    await expect.poll(before.said).toBe('ab');
    await expect.poll(during.said).toBe('c');
    before.socket.destroy();
    during.socket.destroy();
  });

  it('that is held passes what goes to the target, and keeps back what comes from it', async () => {
    const { socket, said } = await caller();
    link.set('held');
    const heard = new Promise<string>((resolve) => {
      const listen = (): void => {
        const [one] = seen;
        if (one) one.once('data', (bytes) => resolve(bytes.toString()));
        else setImmediate(listen);
      };
      listen();
    });
    socket.write('x');
    expect(await heard).toBe('x');
    await roundTrip();
    expect(said()).toBe('');
    link.set('open');
    await expect.poll(said).toBe('x');
    socket.destroy();
  });

  it('tells the caller when the target ends, but not while it is cut', async () => {
    const { socket, isClosed } = await caller();
    socket.write('x');
    await expect.poll(() => seen.length).toBe(1);
    link.set('cut');
    seen[0]?.destroy();
    await roundTrip();
    expect(isClosed()).toBe(false);
    link.set('open');
    await expect.poll(isClosed).toBe(true);
    socket.destroy();
  });
});

describe('the coordination table of the lab', () => {
  const record = CoordinationRecord.parse({
    ...{ epoch: 1, holder: primary, phase: 'active', fenced: true, version: 0 },
    ...{ leaseUntil: timestamp(new Date(0)), changedAt: timestamp(new Date(0)) },
  });
  let faults: Faults;
  let dir: string;
  let tables: Record<'primary' | 'standby' | 'watcher', ReturnType<typeof labCoordination>>;
  beforeEach(async () => {
    dir = temporaryDir();
    faults = new Faults(dir);
    const store = memoryItemStore(systemClock);
    const from = (viewer: Region) => labCoordination(store, faults, { primary, standby, witness }, viewer);
    tables = { primary: from(primary), standby: from(standby), watcher: from(watcher) };
    await tables.primary.create(record);
  });
  afterEach(() => removeDir(dir));
  const answers = async () => {
    const asked = Object.entries(tables).map(async ([name, table]) => [name, await table.read().then(Boolean, () => false)] as const);
    return Object.fromEntries(await Promise.all(asked));
  };

  it('answers everywhere while the witness is lost', async () => {
    faults.setDown(witness, true);
    expect(await answers()).toEqual({ primary: true, standby: true, watcher: true });
  });

  it('answers on the side of two, and not to the one that is cut off', async () => {
    for (const other of [standby, watcher, witness]) faults.setCut(primary, other, true);
    expect(await answers()).toEqual({ primary: false, standby: true, watcher: true });
  });

  it('answers one side only when replicas see the witness but not each other', async () => {
    faults.setCut(primary, standby, true);
    expect(await answers()).toEqual({ primary: true, standby: false, watcher: true });
  });

  it('answers nobody when two of the three are lost', async () => {
    faults.setDown(witness, true);
    faults.setDown(standby, true);
    expect(await answers()).toEqual({ primary: false, standby: false, watcher: false });
  });

  it('tells a replica that is cut off what it last knew, when that will do', async () => {
    await tables.primary.peek();
    for (const other of [standby, watcher, witness]) faults.setCut(primary, other, true);
    await tables.standby.replace({ ...record, leaseUntil: timestamp(new Date(1000)) });
    expect((await tables.primary.peek())?.version).toBe(0);
    expect((await tables.standby.peek())?.version).toBe(1);
  });
});

describe('a life that ends', () => {
  it('takes the answers that were on their way with it, and the sleeps', async () => {
    const life = new AbortController();
    const answer = Promise.withResolvers<string>();
    const port = livingPort({ ask: () => answer.promise }, life.signal);
    const asked = port.ask();
    const sleeping = livingClock(systemClock, life.signal).sleep(60_000);
    life.abort('the power is gone');
    answer.resolve('too late');
    await expect(asked).rejects.toThrow('the power is gone');
    await expect(sleeping).rejects.toThrow('the power is gone');
    expect(() => port.ask()).toThrow('the power is gone');
  });
});
