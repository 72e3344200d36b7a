import { describe, expect, it } from 'vitest';
import { sequenceOnce } from '../../../functions/audit/log/sequence.ts';
import { sequencerMemory } from '../../../functions/audit/log/sequencer.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import { freshState, primary, standby, watchedWorld } from './watched-world.ts';

const watchedPorts = ['auditHead', 'auditQueue', 'auditObjects', 'auditWatchMemory', 'auditEvents', 'checkpointSigner'] as const;

/** The same ports; `first` happens before each call that answers with a promise. */
function interrupted<P extends Partial<Ports>>(ports: P, first: (call: string) => Promise<void>): P {
  const names = new Set<string>(watchedPorts);
  return new Proxy(ports, {
    get(target, name) {
      const port: unknown = Reflect.get(target, name);
      if (typeof name !== 'string' || !names.has(name) || typeof port !== 'object' || port === null) return port;
      return new Proxy(port, {
        get(of, method) {
          const call: unknown = Reflect.get(of, method);
          if (typeof call !== 'function' || method === 'list') return call;
          return async (...given: unknown[]) => {
            await first(`${name}.${String(method)}`);
            return Reflect.apply(call, of, given);
          };
        },
      });
    },
  });
}

describe('a log that is being sequenced', () => {
  it('is never accused, whenever between two calls of its sequencer somebody looks', async () => {
    const world = watchedWorld(freshState());
    const accused: unknown[] = [];
    let looks = 0;
    const look = async (call: string) => {
      looks++;
      for (const region of [primary, standby]) {
        const { findings } = await world.check(region);
        const full = region === primary && looks % 5 === 0 ? await world.verify() : undefined;
        const found = [...findings, ...(full && full.did !== 'nothing' ? full.findings : [])];
        if (found.length > 0) accused.push({ call, region, found });
      }
    };
    const memory = sequencerMemory({ batchLimit: 40 });
    const pass = () => {
      const context = world.contextIn(primary);
      return sequenceOnce({ ...interrupted(world.portsIn(primary), look), ...context }, memory);
    };
    for (let round = 0; round < 8; round++) {
      await world.record(round * 60, 60);
      if (round === 3 || round === 5) world.rotate();
      await pass();
      await pass();
    }
    expect(accused).toEqual([]);
    expect(looks).toBeGreaterThan(100);
  }, 120_000);

  it('is never accused, however often its sequencer comes between two calls of whoever looks', async () => {
    const world = watchedWorld(freshState(), { batchLimit: 30 });
    let recorded = 0;
    let rounds = 0;
    const goOn = async () => {
      await world.record(recorded, 7);
      recorded += 7;
      rounds++;
      if (rounds === 40 || rounds === 90) world.rotate();
      await world.sequence();
    };
    await goOn();
    for (const region of [primary, standby, primary, primary, standby, primary]) {
      const hasty = watchedWorld(world.state(), { change: (ports) => interrupted(ports, goOn) });
      expect(await hasty.check(region)).toMatchObject({ findings: [], unreachable: [] });
      expect(await hasty.verify(primary)).toMatchObject({ did: 'finished', findings: [] });
    }
    expect(rounds).toBeGreaterThan(100);
    expect((await world.portsIn(primary).auditHead.read())?.generation).toBe(3);
  }, 120_000);
});
