import { describe, expect, it } from 'vitest';
import { LogDamaged, WitnessesMissing } from '../../../functions/audit/errors.ts';
import { PredecessorLeaf } from '../../../functions/audit/events/leaf.ts';
import { entriesIn } from '../../../functions/audit/log/bundles.ts';
import { cosignaturesIn } from '../../../functions/audit/log/cosignature.ts';
import { logKey } from '../../../functions/audit/log/log-key.ts';
import { Timestamp } from '../../../functions/common/ids.ts';
import { memoryWitnesses } from '../../../functions/memory/audit/witnesses.ts';
import { History } from '../../../simulation/audit/history.ts';
import { anEvent, eventIdOf } from '../../support/audit-events.ts';
import type { Death } from '../../support/dying-run.ts';
import { type SequencedLog, sequencedLog } from '../../support/sequenced-log.ts';
import { testWitness } from '../../support/witness.ts';

/** The log that these entries must come to, by an implementation of the test's own. */
function historyOf(entries: readonly string[]): History {
  const history = new History();
  history.append(entries);
  return history;
}
const leaves = (from: number, until: number) => Array.from({ length: until - from }, (_, index) => anEvent(from + index).leaf);
const rootIn = (root: Uint8Array) => Buffer.from(root).toString('base64');

/** A generation's entries as they are published. */
async function entriesOf({ ports, region, checkpoint }: SequencedLog, generation: number): Promise<readonly string[]> {
  const { size } = await checkpoint(generation);
  const bundle = await ports.auditObjects.get(region, `${generation}/tile/entries/000.p/${size}`);
  return entriesIn(bundle ?? new Uint8Array()).map((entry) => Buffer.from(entry).toString());
}

describe('the sequencer', () => {
  it('takes what waits into the log, oldest first, and publishes a checkpoint of all of it', async () => {
    const log = sequencedLog();
    await log.record(0, 3);
    expect(await log.sequencer().pass()).toEqual({ did: 'integrated', events: 3, waiting: 3, lateWitnesses: 0, seconds: 17_999 });
    const { origin, size, root } = await log.checkpoint();
    expect({ origin, size }).toEqual({ origin: `hms-codeblue-audit/${log.region}/1`, size: 3 });
    expect(rootIn(root)).toBe(historyOf(leaves(0, 3)).root(3));
    expect(await log.places(3)).toEqual([0, 1, 2].map((index) => ({ generation: 1, index })));
    expect(await log.ports.auditQueue.pending(10)).toEqual([]);
    expect(await log.ports.auditHead.read()).toMatchObject({ version: 2, generation: 1, size: 3, root: rootIn(root) });
    expect(await log.sequencer().pass()).toMatchObject({ did: 'nothing', events: 0 });
  });

  it('stores every tile and bundle, whatever the batches, for one that goes on and for one that begins anew each time', async () => {
    const [one, anew] = [sequencedLog(), sequencedLog()];
    await one.record(0, 520);
    await anew.record(0, 520);
    await one.sequence({ batchLimit: 90 });
    while ((await anew.sequencer({ batchLimit: 90 }).pass()).did !== 'nothing');
    const stored = await one.objects();
    expect(await anew.objects()).toEqual(stored);
    const history = historyOf(leaves(0, 520));
    for (const [path, bytes] of history.objects(520)) expect(stored[`1/${path}`], path).toBe(bytes.toString('base64'));
    expect(rootIn((await one.checkpoint()).root)).toBe(history.root(520));
  });

  it('gives way to a younger run, which says that it is there also when nothing waits', async () => {
    const log = sequencedLog();
    const [older, younger] = ['2026-11-21T12:00:00.000Z', '2026-11-21T12:01:00.000Z'].map((began) =>
      log.sequencer({ run: Timestamp.parse(began) }),
    );
    await log.record(0, 1);
    expect(await older?.pass()).toMatchObject({ did: 'integrated' });
    expect(await older?.pass()).toMatchObject({ did: 'nothing' });
    expect(await younger?.pass()).toMatchObject({ did: 'nothing' });
    await log.record(1, 2);
    expect(await older?.pass()).toMatchObject({ did: 'relieved', events: 0 });
    expect(await younger?.pass()).toMatchObject({ did: 'integrated', events: 1 });
  });
});

describe('a new generation', () => {
  it('begins with an entry that commits to the whole log before it, which is not signed again', async () => {
    const log = sequencedLog();
    await log.record(0, 3);
    await log.sequence();
    await log.record(3, 5);
    await log.sequence({ audit: { generation: 2 } });
    const before = await log.checkpoint(1);
    const [first, ...others] = await entriesOf(log, 2);
    const { verifierKey } = await logKey(1, { ...log, checkpointSigner: log.ports.checkpointSigner });
    expect(PredecessorLeaf.parse(JSON.parse(first ?? ''))).toEqual({
      format: 'codeblue-audit-predecessor/1',
      ...{ origin: before.origin, size: 3, root: rootIn(before.root), verifierKey },
    });
    expect(others).toEqual(leaves(3, 5));
    expect(await log.places(5)).toEqual([
      ...[0, 1, 2].map((index) => ({ generation: 1, index })),
      ...[1, 2].map((index) => ({ generation: 2, index })),
    ]);
    expect(before.size).toBe(3);
  });

  it('waits for the batch that is claimed', async () => {
    const log = sequencedLog();
    await log.record(0, 2);
    const claimed = 4; // head, queue, batch, head
    await expect(log.sequencer({ death: { call: claimed, when: 'after' } }).pass()).rejects.toThrow('died');
    await log.sequence({ audit: { generation: 2 } });
    expect(await log.checkpoint(1)).toMatchObject({ size: 2 });
    expect(await log.checkpoint(2)).toMatchObject({ size: 1 });
  });

  it('comes one at a time, and a sequencer with the config of before goes on in it', async () => {
    const log = sequencedLog();
    await log.record(0, 2);
    await log.sequence();
    await log.sequence({ audit: { generation: 3 } });
    await log.record(2, 3);
    await log.sequence({ audit: { generation: 1 } });
    expect((await entriesOf(log, 2)).map((entry) => JSON.parse(entry).size)).toEqual([2]);
    const [first, second] = await entriesOf(log, 3);
    expect(JSON.parse(first ?? '')).toMatchObject({ size: 1, root: rootIn((await log.checkpoint(2)).root) });
    expect(second).toBe(anEvent(2).leaf);
  });

  it('of a log without entries needs no predecessor', async () => {
    const log = sequencedLog();
    await log.sequencer({ run: Timestamp.parse('2026-11-21T12:00:00.000Z') }).pass();
    await log.record(0, 1);
    await log.sequence({ audit: { generation: 2 } });
    expect(await entriesOf(log, 2)).toEqual(leaves(0, 1));
  });
});

describe.each([
  ['the first batch', async () => prepared(0, 3, 1)],
  ['a batch over the end of a tile', async () => prepared(254, 258, 1)],
  ['the first entry of a new generation', async () => prepared(3, 3, 2)],
] as const)('%s', (_, prepare) => {
  const untilNothing = { batchLimit: 300 };
  async function reference() {
    const { log, audit } = await prepare();
    const { pass, calls } = log.sequencer({ audit, ...untilNothing });
    while ((await pass()).did !== 'nothing');
    return { calls, objects: await log.objects(), places: await log.places(260) };
  }

  it('comes to the same bytes wherever a pass died, before or after each of its calls', async () => {
    const { calls, objects, places } = await reference();
    expect(calls.length).toBeGreaterThan(12);
    for (let call = 1; call <= calls.length; call++) {
      for (const when of ['before', 'after'] as const satisfies readonly Death['when'][]) {
        const { log, audit } = await prepare();
        const dying = log.sequencer({ audit, death: { call, when }, ...untilNothing });
        await expect(sequenceAll(dying.pass)).rejects.toThrow('died');
        await log.sequence({ audit, ...untilNothing });
        expect(await log.objects(), `${when} ${calls[call - 1]}`).toEqual(objects);
        expect(await log.places(260)).toEqual(places);
      }
    }
  });

  it('is not touched by one who stands still before any of its calls until everything is over and more has come', async () => {
    const { calls } = await reference();
    for (let stands = 1; stands <= calls.length; stands++) {
      const { log, audit } = await prepare();
      const meanwhile = async (call: number) => {
        if (call !== stands) return;
        await log.record(300, 302);
        await log.sequence({ audit, ...untilNothing });
        await log.record(302, 303);
        await log.sequence({ audit, ...untilNothing });
      };
      const late = log.sequencer({ audit, meanwhile, ...untilNothing });
      while ((await late.pass()).did !== 'nothing');
      const { size } = await log.checkpoint(audit.generation);
      const places = (await log.places(303)).flatMap((place) => (place ? [`${place.generation}/${place.index}`] : []));
      expect(new Set(places).size, `before ${calls[stands - 1]}`).toBe(places.length);
      expect(places).toContain(`${audit.generation}/${size - 1}`);
      expect(await log.ports.auditQueue.pending(10)).toEqual([]);
    }
  });
});

/** What waits when the batch is chosen, after a log of so many entries. */
async function prepared(size: number, until: number, generation: number) {
  const log = sequencedLog();
  await log.record(0, size);
  await log.sequence();
  await log.record(size, until);
  return { log, audit: { generation } };
}

async function sequenceAll(pass: () => Promise<{ readonly did: string }>): Promise<void> {
  while ((await pass()).did !== 'nothing');
}

describe('a log that somebody else changed', () => {
  const changed = async () => {
    const log = sequencedLog();
    await log.record(0, 3);
    await log.sequence();
    await log.record(3, 5);
    const signatures: number[] = [];
    const { checkpointSigner } = log.ports;
    const pass = () =>
      log.sequencer().pass({
        checkpointSigner: {
          ...checkpointSigner,
          sign: (generation, bytes) => {
            signatures.push(generation);
            return checkpointSigner.sign(generation, bytes);
          },
        },
      });
    return { log, pass, signatures };
  };

  it('is not built on when its tiles do not have the root of its head', async () => {
    const { log, pass, signatures } = await changed();
    const head = await log.ports.auditHead.read();
    if (!head) throw new TypeError('there is a head');
    await log.ports.auditHead.write({ ...head, version: head.version + 1, root: historyOf(leaves(0, 2)).root(2) });
    await expect(pass()).rejects.toThrow(LogDamaged);
    expect(signatures).toEqual([]);
  });

  it('is not built on with another batch than the one that was claimed', async () => {
    const { log, pass, signatures } = await changed();
    const head = await log.ports.auditHead.read();
    if (!head) throw new TypeError('there is a head');
    await log.ports.auditHead.putBatch({ batchId: 'forged', generation: 1, from: 3, eventIds: [eventIdOf(4)] });
    await log.ports.auditHead.write({ ...head, version: head.version + 1, claimed: { batchId: 'forged', size: 4 } });
    await expect(pass()).rejects.toThrow(LogDamaged);
    expect(signatures).toEqual([]);
  });

  it('is not built on when another tree of the same size is published', async () => {
    const { log, pass } = await changed();
    const other = sequencedLog();
    await other.record(10, 15);
    await other.sequence();
    const { auditObjects } = log.ports;
    const note = await other.ports.auditObjects.get(log.region, '1/checkpoint');
    await auditObjects.publishCheckpoint('1/checkpoint', note ?? new Uint8Array(), await auditObjects.get(log.region, '1/checkpoint'));
    await expect(pass()).rejects.toThrow(/another tree of 5 entries/);
  });
});

describe('witnesses', () => {
  const witnessed = async (quorum: number) => {
    const log = sequencedLog();
    const { origin, verifierKey } = await logKey(1, { ...log, checkpointSigner: log.ports.checkpointSigner });
    const logs = new Map([[origin, verifierKey]]);
    const [one, two] = ['one.example', 'two.example'].map((name) => testWitness({ name, logs, now: log.clock.now }));
    if (!one || !two) throw new TypeError('two witnesses');
    const use = [one, two].map((witness) => ({ verifierKey: witness.verifierKey, url: `https://${witness.name}` }));
    const asked: string[] = [];
    const answering = (...there: readonly (typeof one)[]) => {
      const witnesses = memoryWitnesses(new Map(there.map(({ name, addCheckpoint }) => [`https://${name}`, addCheckpoint])));
      return {
        witnesses: {
          addCheckpoint: (url: string, body: string) => {
            asked.push(url);
            return witnesses.addCheckpoint(url, body);
          },
        },
      };
    };
    const cosigners = async () => {
      const note = Buffer.from((await log.ports.auditObjects.get(log.region, '1/checkpoint')) ?? []).toString();
      return cosignaturesIn(note, [one.verifierKey, two.verifierKey]).map(({ witness }) => witness);
    };
    return { log, one, two, asked, answering, cosigners, audit: { witnesses: { use, quorum } } };
  };

  it('are waited for until the quorum has cosigned; events wait meanwhile, and nobody is asked twice', async () => {
    const { log, one, two, asked, answering, cosigners, audit } = await witnessed(2);
    await log.record(0, 2);
    const { pass } = log.sequencer({ audit });
    await expect(pass(answering(one))).rejects.toThrow(WitnessesMissing);
    expect(await log.ports.auditObjects.get(log.region, '1/checkpoint')).toBeUndefined();
    expect(await log.ports.auditQueue.pending(10)).toHaveLength(2);
    expect(await pass(answering(one, two))).toMatchObject({ did: 'integrated', events: 2 });
    expect(await cosigners()).toEqual(['one.example', 'two.example']);
    expect(asked).toEqual(['https://one.example', 'https://two.example', 'https://two.example']);
    await log.record(2, 3);
    expect(await pass(answering(one, two))).toMatchObject({ did: 'integrated', lateWitnesses: 0 });
    expect(await log.checkpoint()).toMatchObject({ size: 3 });
  });

  it('that do not answer are told of, and for a minute not waited for where the quorum is to be had without them', async () => {
    const { log, one, two, asked, answering, cosigners, audit } = await witnessed(1);
    const { pass } = log.sequencer({ audit });
    for (const [number, witnessesSay] of [
      [0, ['two.example: the witness at https://two.example does not answer']],
      [1, undefined],
    ] as const) {
      await log.record(number, number + 1);
      const passed = await pass(answering(one));
      expect(passed).toMatchObject({ did: 'integrated', lateWitnesses: 1 });
      expect(passed.witnessesSay).toEqual(witnessesSay);
      expect(await cosigners()).toEqual(['one.example']);
    }
    expect(asked.filter((url) => url === 'https://two.example')).toHaveLength(1);
    log.clock.advance(61);
    await log.record(2, 3);
    expect(await pass(answering(one, two))).toMatchObject({ did: 'integrated', lateWitnesses: 0 });
    expect(await cosigners()).toEqual(['one.example', 'two.example']);
  });
});
