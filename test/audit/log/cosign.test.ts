import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openNote } from '../../../functions/audit/log/checkpoint.ts';
import { cosigned } from '../../../functions/audit/log/cosign.ts';
import { cosignaturesIn } from '../../../functions/audit/log/cosignature.ts';
import { consistencyProof } from '../../../functions/audit/log/proofs.ts';
import type { Witnesses } from '../../../functions/audit/ports.ts';
import { memoryWitnesses } from '../../../functions/memory/audit/witnesses.ts';
import { entriesNamed, logOf } from '../../support/log-objects.ts';
import { signingKey } from '../../support/signed-log.ts';
import { type TestWitness, testWitness } from '../../support/witness.ts';

const now = new Date('2026-11-22T12:00:00.000Z');
const key = signingKey('hms-codeblue-audit/us-east-1/1');
const all = entriesNamed(2000);

const treeOf = (size: number) => {
  const { root, read } = logOf(all.slice(0, size));
  return { note: key.checkpoint(size, root), prove: (from: number, to: number) => consistencyProof(read, from, to) };
};
const witness = (name: string, logs = new Map([[key.origin, key.verifierKey]])) => testWitness({ name, logs, now: () => now });
const urlOf = ({ name }: TestWitness) => `https://${name}`;
const policyOf = (quorum: number, ...use: readonly TestWitness[]) => ({
  quorum,
  use: use.map((each) => ({ verifierKey: each.verifierKey, url: urlOf(each) })),
});
const reachable = (...each: readonly TestWitness[]): Witnesses =>
  memoryWitnesses(new Map(each.map((one) => [urlOf(one), one.addCheckpoint])));

describe('cosigned', () => {
  it('carries the cosignatures of all witnesses, through a log that grows', async () => {
    const [one, two] = [witness('one.example'), witness('two.example')];
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 6 }), async (sizes) => {
        const [first, second] = [witness('one.example'), witness('two.example')];
        let from = 0;
        for (const size of sizes.sort((a, b) => a - b)) {
          const { note, late, isQuorum } = await cosigned(treeOf(size).note, {
            policy: policyOf(2, first, second),
            from,
            prove: treeOf(size).prove,
            witnesses: reachable(first, second),
          });
          expect([late, isQuorum]).toEqual([[], true]);
          expect(openNote(note, key.verifierKey).size).toBe(size);
          expect(cosignaturesIn(note, [one.verifierKey, two.verifierKey])).toEqual([
            { witness: 'one.example', at: now },
            { witness: 'two.example', at: now },
          ]);
          expect(first.seen.get(key.origin)?.size).toBe(size);
          from = size;
        }
      }),
      { numRuns: 20 },
    );
  });

  it('goes on from the size that a witness names', async () => {
    const one = witness('one.example');
    const asked: string[] = [];
    const witnesses: Witnesses = {
      async addCheckpoint(_, body) {
        asked.push(body.split('\n')[0] ?? '');
        return one.addCheckpoint(body);
      },
    };
    for (const [from, size] of [
      [0, 300],
      [299, 700],
      [700, 700],
    ] as const)
      expect(await cosigned(treeOf(size).note, { policy: policyOf(1, one), from, prove: treeOf(size).prove, witnesses })).toMatchObject({
        isQuorum: true,
      });
    expect(asked).toEqual(['old 0', 'old 299', 'old 300', 'old 700']);
  });

  it('says who is late and why, and whether the quorum is there all the same', async () => {
    const good = witness('good.example');
    const silent = witness('silent.example');
    const stranger = witness('stranger.example', new Map());
    const distrusting = witness(
      'distrusting.example',
      new Map([[key.origin, signingKey('another').verifierKey.replace('another', key.origin)]]),
    );
    const ahead = witness('ahead.example');
    await cosigned(treeOf(900).note, { policy: policyOf(1, ahead), from: 0, prove: treeOf(900).prove, witnesses: reachable(ahead) });
    const forked = witness('forked.example');
    const other = logOf(entriesNamed(400, 'another'));
    await cosigned(key.checkpoint(400, other.root), {
      policy: policyOf(1, forked),
      from: 0,
      prove: async () => [],
      witnesses: reachable(forked),
    });

    const everybody = [good, silent, stranger, distrusting, ahead, forked];
    const {
      note,
      late,
      isQuorum,
      cosigned: names,
    } = await cosigned(treeOf(800).note, {
      policy: policyOf(2, ...everybody),
      from: 0,
      prove: treeOf(800).prove,
      witnesses: reachable(...everybody.filter((each) => each !== silent)),
    });
    expect([names, isQuorum]).toEqual([['good.example'], false]);
    expect(late.map(({ witness: who, why }) => `${who} ${why}`)).toEqual([
      'silent.example no-answer',
      'stranger.example unknown-log',
      'distrusting.example untrusted-key',
      'ahead.example ahead',
      'forked.example inconsistent',
    ]);
    expect(late.find(({ why }) => why === 'ahead')?.says).toBe('it knows a tree of 900 entries already, this one has 800');
    expect(note.startsWith(treeOf(800).note)).toBe(true);
  });

  it('does not ask again whoever cosigned already', async () => {
    const [one, two] = [witness('one.example'), witness('two.example')];
    const { note, prove } = treeOf(500);
    const policy = policyOf(2, one, two);
    const half = await cosigned(note, { policy, from: 0, prove, witnesses: reachable(one) });
    expect(half).toMatchObject({ cosigned: ['one.example'], isQuorum: false });
    const whole = await cosigned(half.note, { policy, from: 0, prove, witnesses: reachable(two) });
    expect(whole).toMatchObject({ cosigned: ['one.example', 'two.example'], late: [], isQuorum: true });
    expect(
      cosignaturesIn(
        whole.note,
        policy.use.map(({ verifierKey }) => verifierKey),
      ),
    ).toHaveLength(2);
  });

  it.each([
    ['a size that is no number', { status: 409, contentType: 'text/x.tlog.size', body: 'many\n' }, 'malformed-answer'],
    ['a size of another type', { status: 409, contentType: 'text/plain', body: '3\n' }, 'malformed-answer'],
    ['another size for ever', { status: 409, contentType: 'text/x.tlog.size; charset=utf-8', body: '3\n' }, 'no-answer'],
    ['nothing', { status: 200, contentType: 'text/plain', body: '' }, 'malformed-answer'],
    ['what is no signature', { status: 200, contentType: 'text/plain', body: 'hello\n' }, 'malformed-answer'],
    ['a fault', { status: 500, contentType: 'text/plain', body: '' }, 'no-answer'],
  ] as const)('takes no harm from a witness that answers with %s', async (_, answer, why) => {
    const one = witness('one.example');
    const { note, late } = await cosigned(treeOf(10).note, {
      policy: policyOf(0, one),
      from: 0,
      prove: treeOf(10).prove,
      witnesses: { addCheckpoint: async () => answer },
    });
    expect([note, late.map((each) => each.why)]).toEqual([treeOf(10).note, [why]]);
  });

  it.each([
    ['422, as the specification wants', undefined],
    ['409 and no size', { status: 409, contentType: 'text/plain; charset=utf-8', body: 'checkpoints are inconsistent\n' }],
    ['409 and the same size', { status: 409, contentType: 'text/x.tlog.size', body: '400\n' }],
  ] as const)('tells a fork of the same size as inconsistent when the witness answers with %s', async (_, answer) => {
    const forked = witness('forked.example');
    forked.addCheckpoint(`old 0\n\n${key.checkpoint(400, logOf(entriesNamed(400, 'another')).root)}`);
    const { note, late } = await cosigned(treeOf(400).note, {
      policy: policyOf(1, forked),
      from: 400,
      prove: treeOf(400).prove,
      witnesses: answer ? { addCheckpoint: async () => answer } : reachable(forked),
    });
    expect([note, late.map(({ why }) => why)]).toEqual([treeOf(400).note, ['inconsistent']]);
  });

  it('takes no cosignature that is of another checkpoint, of another key, or has no time', async () => {
    const [one, two] = [witness('one.example'), witness('two.example')];
    const policy = policyOf(0, one);
    const lineFor = (size: number, by: TestWitness) => by.addCheckpoint(`old 0\n\n${treeOf(size).note}`).body;
    const ofAnother = lineFor(11, witness('one.example'));
    const timeless = Buffer.from(lineFor(10, witness('one.example')).split(' ')[2] ?? '', 'base64');
    timeless.fill(0, 4, 12);
    for (const body of [ofAnother, lineFor(10, two), `— one.example ${timeless.toString('base64')}\n`]) {
      const { late, cosigned: names } = await cosigned(treeOf(10).note, {
        policy,
        from: 0,
        prove: treeOf(10).prove,
        witnesses: { addCheckpoint: async () => ({ status: 200, contentType: 'text/plain', body }) },
      });
      expect([names, late.map(({ why }) => why)]).toEqual([[], ['malformed-answer']]);
    }
  });
});

describe('an answer of several lines', () => {
  const one = witness('one.example');
  const judged = (body: string) =>
    cosigned(treeOf(10).note, {
      policy: policyOf(1, one),
      from: 0,
      prove: treeOf(10).prove,
      witnesses: { addCheckpoint: async () => ({ status: 200, contentType: 'text/plain', body }) },
    });
  const lineOf = (by: TestWitness) => by.addCheckpoint(`old 0\n\n${treeOf(10).note}`).body;

  it('is searched for the configured key', async () => {
    expect(await judged(lineOf(witness('two.example')) + lineOf(witness('one.example')))).toMatchObject({
      cosigned: ['one.example'],
      isQuorum: true,
    });
  });

  it('does not count when it was signed without a time', async () => {
    const timeless = testWitness({ name: 'one.example', logs: new Map([[key.origin, key.verifierKey]]), now: () => new Date(0) });
    expect(await judged(lineOf(timeless))).toMatchObject({ cosigned: [], late: [{ why: 'malformed-answer' }] });
  });
});

describe('the witness of the tests', () => {
  it('refuses what does not go on from what it knows, whatever proof comes with it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 901, max: 2000 }), fc.nat(), async (from, size, pick) => {
        const one = witness('one.example');
        one.addCheckpoint(`old 0\n\n${treeOf(from).note}`);
        const { note, prove } = treeOf(size);
        const proof = (await prove(from, size)).map((hash) => Buffer.from(hash).toString('base64'));
        const post = (hashes: readonly string[], body = note) =>
          one.addCheckpoint(`old ${from}\n${hashes.map((hash) => `${hash}\n`).join('')}\n${body}`).status;
        expect(post(proof.toSpliced(pick % proof.length, 1))).toBe(422);
        expect(post([...proof, proof[0] ?? ''])).toBe(422);
        expect(post(proof, key.checkpoint(size, logOf(entriesNamed(size, 'another')).root))).toBe(422);
        expect(post(proof)).toBe(200);
        expect(post(proof)).toBe(409);
      }),
      { numRuns: 15 },
    );
  });
});
