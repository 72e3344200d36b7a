import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../functions/audit/events/leaf.ts';
import { cosigned } from '../../../functions/audit/log/cosign.ts';
import { consistencyProof, inclusionProof } from '../../../functions/audit/log/proofs.ts';
import { extraBytes, type ProofExtra } from '../../../functions/audit/proof/proof-extra.ts';
import { formatTlogProof } from '../../../functions/audit/proof/tlog-proof.ts';
import { type ProofVerdict, verifyBundle } from '../../../functions/audit/proof/verify-bundle.ts';
import { memoryWitnesses } from '../../../functions/memory/audit/witnesses.ts';
import { anEvent } from '../../support/audit-events.ts';
import { logOf } from '../../support/log-objects.ts';
import { signingKey } from '../../support/signed-log.ts';
import { testWitness } from '../../support/witness.ts';

const key = signingKey('hms-codeblue-audit/us-east-1/1');
const events = Array.from({ length: 300 }, (_, number) => anEvent(number + 1));
const log = logOf(events.map(({ leaf }) => Buffer.from(leaf)));
const note = key.checkpoint(300, log.root);

async function bundle(index: number, given: { extra?: Partial<ProofExtra> | 'none'; checkpoint?: string } = {}): Promise<string> {
  const { leaf, body, salt } = events[index] ?? anEvent(1);
  const whole: ProofExtra = { format: 'codeblue-audit-proof/1', leaf, ...(body && salt ? { body, salt } : {}) };
  const extra = given.extra === 'none' ? {} : { extra: extraBytes({ ...whole, ...given.extra }) };
  return formatTlogProof({ ...extra, index, proof: await inclusionProof(log.read, index, 300), checkpoint: given.checkpoint ?? note });
}
const outcomes = (verdict: ProofVerdict | undefined) =>
  Object.fromEntries((verdict?.checks ?? []).map(({ question, outcome }) => [question, outcome]));
const verified = (text: string) => verifyBundle(text, [key.verifierKey]);

describe('verifyBundle', () => {
  it('says what it checked and what it did not', async () => {
    const { holds, proofs } = verified(await bundle(41));
    expect(holds).toBe(true);
    expect(outcomes(proofs[0])).toEqual({
      signature: 'passed',
      leaf: 'passed',
      inclusion: 'passed',
      body: 'passed',
      cosignatures: 'not-checked',
    });
    expect(proofs[0]?.checks.map(({ says }) => says)).toEqual([
      'The checkpoint of 300 entries is signed by the key of hms-codeblue-audit/us-east-1/1.',
      'The entry is a leaf in canonical form.',
      'It is entry 41 of the 300 that the checkpoint signs for.',
      'The event is the one that the entry commits to.',
      'No key of a witness was given: whether the log showed others another history is not checked.',
    ]);
    expect(proofs[0]).toMatchObject({ leaf: { eventId: events[41]?.eventId }, body: { userId: 'nurse-17' }, checkpoint: { size: 300 } });
  });

  it('does not miss the body of an erased event, and says that it was not compared', async () => {
    const { holds, proofs } = verified(await bundle(5, { extra: { body: undefined, salt: undefined } }));
    expect([holds, outcomes(proofs[0]).body, proofs[0]?.body]).toEqual([true, 'not-checked', undefined]);
  });

  it('refuses any single character that was changed, in words or by an error', async () => {
    const text = await bundle(77);
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom('A', '0', 'z', '\n', ' ', '+'), (at, other) => {
        fc.pre(text[at] !== other);
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        let holds = false;
        try {
          holds = verified(changed).holds;
        } catch (error) {
          expect(error).toMatchObject({ name: 'InvalidInput' });
        }
        expect(holds).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it('refuses a proof of another entry, another key, another log', async () => {
    const [own, other] = [events[3], events[4]];
    if (!own || !other) throw new Error('no events');
    expect(
      outcomes(verified(await bundle(3, { extra: { leaf: other.leaf, body: other.body, salt: other.salt } })).proofs[0]),
    ).toMatchObject({
      inclusion: 'failed',
      body: 'passed',
    });
    const swapped = verified(await bundle(3, { extra: { body: other.body, salt: other.salt } }));
    expect([swapped.holds, outcomes(swapped.proofs[0]).body, swapped.proofs[0]?.body]).toEqual([false, 'failed', undefined]);
    const stranger = verifyBundle(await bundle(3), [signingKey('hms-codeblue-audit/us-west-2/1').verifierKey]);
    expect([stranger.holds, outcomes(stranger.proofs[0])]).toEqual([
      false,
      { signature: 'failed', leaf: 'passed', inclusion: 'failed', body: 'passed', cosignatures: 'not-checked' },
    ]);
    expect(stranger.proofs[0]).not.toHaveProperty('leaf');
    expect(stranger.proofs[0]).not.toHaveProperty('body');
  });

  it.each([
    ['nothing of the entry', 'none' as const, 'leaf'],
    ['a salt without an event', { body: undefined }, 'body'],
    ['an event without a salt', { salt: undefined }, 'body'],
    ['a short salt', { salt: 'AAAA' }, 'body'],
    ['a leaf that is not canonical', { leaf: `${events[9]?.leaf} ` }, 'leaf'],
    ['a leaf that is no JSON', { leaf: 'hello' }, 'leaf'],
  ])('refuses a proof that carries %s', async (_, extra, question) => {
    const { holds, proofs } = verified(await bundle(9, { extra }));
    expect([holds, outcomes(proofs[0])[question]]).toEqual([false, 'failed']);
  });

  it('refuses an event whose leaf names something else, although the commitment opens', async () => {
    const { leaf, body, salt } = anEvent(1);
    const lying = canonicalJson({ ...JSON.parse(leaf), action: 'record.print' });
    const one = logOf([Buffer.from(lying)]);
    if (!body || !salt) throw new Error('no body');
    const text = formatTlogProof({
      extra: extraBytes({ format: 'codeblue-audit-proof/1', leaf: lying, body, salt }),
      index: 0,
      proof: [],
      checkpoint: key.checkpoint(1, one.root),
    });
    expect(outcomes(verified(text).proofs[0])).toMatchObject({ inclusion: 'passed', body: 'failed' });
  });

  it('takes the link to an older log for an entry without an event', async () => {
    const leaf = canonicalJson({ format: 'codeblue-audit-predecessor/1', origin: 'o', size: 1, root: 'AAAA', verifierKey: 'k' });
    const { root } = logOf([Buffer.from(leaf)]);
    const text = formatTlogProof({
      extra: extraBytes({ format: 'codeblue-audit-proof/1', leaf }),
      index: 0,
      proof: [],
      checkpoint: key.checkpoint(1, root),
    });
    expect([verified(text).holds, outcomes(verified(text).proofs[0]).body]).toEqual([true, 'not-checked']);
  });

  it('holds only when every proof of the file does', async () => {
    const [good, bad] = [await bundle(1), await bundle(2, { extra: { salt: Buffer.alloc(32).toString('base64') } })];
    expect(verified(good + good).proofs).toHaveLength(2);
    expect(verified(good + good).holds).toBe(true);
    expect([verified(good + bad).holds, verified(bad + good).holds]).toEqual([false, false]);
  });

  it('wants a key from elsewhere than the file', async () => {
    const text = await bundle(1);
    expect(() => verifyBundle(text, [])).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    expect(() => verifyBundle(text, ['no key'])).toThrow(expect.objectContaining({ name: 'NoteRefused' }));
  });

  it('counts the cosignatures of known witnesses, and wants as many as asked for', async () => {
    const now = new Date('2026-11-22T12:00:00Z');
    const [one, two, stranger] = ['one.example', 'two.example', 'three.example'].map((name) =>
      testWitness({ name, logs: new Map([[key.origin, key.verifierKey]]), now: () => now }),
    );
    if (!one || !two || !stranger) throw new Error('no witnesses');
    const use = [one, stranger].map(({ name, verifierKey }) => ({ verifierKey, url: `https://${name}` }));
    const { note: withCosignatures } = await cosigned(note, {
      policy: { use, quorum: 2 },
      from: 0,
      prove: (from, to) => consistencyProof(log.read, from, to),
      witnesses: memoryWitnesses(new Map([one, stranger].map((each) => [`https://${each.name}`, each.addCheckpoint]))),
    });
    const text = await bundle(12, { checkpoint: withCosignatures });
    const judge = (quorum: number) => verifyBundle(text, [key.verifierKey], { keys: [one.verifierKey, two.verifierKey], quorum });
    expect([judge(1).holds, outcomes(judge(1).proofs[0]).cosignatures]).toEqual([true, 'passed']);
    expect(judge(1).proofs[0]?.checks.at(-1)?.says).toBe('1 of 2 known witnesses cosigned (one.example); wanted: 1.');
    expect([judge(2).holds, outcomes(judge(2).proofs[0]).cosignatures]).toEqual([false, 'failed']);
    const line = withCosignatures.split('\n').find((each) => each.startsWith('— one.example')) ?? '';
    const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64');
    bytes[10] = (bytes[10] ?? 0) ^ 1; // a second of its time
    const backdated = text.replace(line, `— one.example ${bytes.toString('base64')}`);
    expect(verifyBundle(backdated, [key.verifierKey], { keys: [one.verifierKey], quorum: 0 }).holds).toBe(false);
    expect(verifyBundle(backdated, [key.verifierKey]).holds).toBe(true); // whoever knows no witness cannot tell
  });
});

describe('a file of the first version', () => {
  it('verifies for as long as logs are kept', () => {
    const text = readFileSync(new URL('first-version.tlog-proof', import.meta.url), 'utf8');
    const { holds, proofs } = verified(text);
    expect(holds).toBe(true);
    expect(proofs.map(({ index, body }) => [index, body?.patientRef])).toEqual([
      [0, 'patient:0815'],
      [299, undefined],
    ]);
  });
});
