import type { AuditPolicy } from '../../common/audit-policy.ts';
import { messageOf } from '../../common/errors.ts';
import { NoteRefused } from '../errors.ts';
import type { Witnesses } from '../ports.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { cosignaturesIn, isOf, openCosignature, parseWitnessKey } from './cosignature.ts';
import { type NoteSignature, parseSignatureLine, parseSignedNote } from './signed-note.ts';

type Witness = AuditPolicy['witnesses']['use'][number];

/** Times that a witness may tell another size: once as a rule, more when another sequencer asks it at the same time. */
const ATTEMPTS = 3;
const SIZE_LIMIT_CHARACTERS = 20;

/** Why a witness did not cosign. */
export interface LateWitness {
  /** Name in its verifier key. */
  readonly witness: string;
  /** `inconsistent`: it says that this tree does not go on from the one that it knows. `ahead`: it knows a larger one. Both want a person. */
  readonly why: 'no-answer' | 'unknown-log' | 'untrusted-key' | 'inconsistent' | 'ahead' | 'malformed-answer';
  /** One sentence. */
  readonly says: string;
}

export interface Cosigned {
  /** The note with the cosignatures at its end. */
  readonly note: string;
  /** Names of the witnesses whose cosignatures it carries. */
  readonly cosigned: readonly string[];
  readonly late: readonly LateWitness[];
  /** Whether as many cosigned as the quorum says. */
  readonly isQuorum: boolean;
}

/**
 * Has a signed checkpoint cosigned by the configured witnesses (C2SP tlog-witness, add-checkpoint), all at a time. Whoever cosigned the note already is not asked again, so
 * what was got before a crash, or below the quorum, is not lost when the note is kept.
 *
 * @param note signed by the log
 * @param given.from size of the checkpoint before it; a witness that knows another one tells
 * @param given.prove consistency proof out of the stored tiles
 * @throws NoteRefused when a configured key, or a cosignature that the note carries, is not well formed; what `prove` throws
 */
export async function cosigned(
  note: string,
  given: {
    readonly policy: AuditPolicy['witnesses'];
    readonly from: number;
    readonly prove: (from: number, to: number) => Promise<readonly Uint8Array[]>;
    readonly witnesses: Witnesses;
  },
): Promise<Cosigned> {
  const { policy } = given;
  const before = cosignaturesIn(
    note,
    policy.use.map(({ verifierKey }) => verifierKey),
  ).map(({ witness }) => witness);
  const asked = policy.use.filter(({ verifierKey }) => !before.includes(parseWitnessKey(verifierKey).name));
  const answers = await Promise.all(
    asked.map(async (witness) => ({ witness: parseWitnessKey(witness.verifierKey).name, answer: await ask(witness, note, given) })),
  );
  const got = answers.flatMap(({ answer }) => ('line' in answer ? answer : []));
  const names = [...before, ...got.map(({ name }) => name)];
  return {
    note: note + got.map(({ line }) => `${line}\n`).join(''),
    cosigned: names,
    late: answers.flatMap(({ witness, answer }) => ('line' in answer ? [] : { witness, ...answer })),
    isQuorum: names.length >= policy.quorum,
  };
}

type Refusal = Omit<LateWitness, 'witness'>;
type Given = Parameters<typeof cosigned>[1];

/** Begins with the size that we believe it to know, and goes on from the one that it names. */
async function ask(witness: Witness, note: string, { from, prove, witnesses }: Given): Promise<NoteSignature | Refusal> {
  const { size } = parseCheckpoint(parseSignedNote(note).text);
  let old = from;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const proof = old === 0 || old === size ? [] : await prove(old, size);
    const body = `old ${old}\n${proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')}\n${note}`;
    const answer = await answerOf(witness, body, witnesses);
    if ('why' in answer) return answer;
    if (answer.status !== 409) return judge(answer, witness, note);
    const known = sizeIn(answer);
    // For this C2SP tlog-witness wants 422; transparency.dev's omniwitness answers 409 and no size.
    if (old === size && (known ?? size) === size) return { why: 'inconsistent', says: 'it knows another tree of this size' };
    if (known === undefined) return { why: 'malformed-answer', says: 'it answered 409 without saying which size it knows' };
    if (known > size) return { why: 'ahead', says: `it knows a tree of ${known} entries already, this one has ${size}` };
    old = known;
  }
  return { why: 'no-answer', says: `it named another size ${ATTEMPTS} times` };
}

type Answer = Awaited<ReturnType<Witnesses['addCheckpoint']>>;

async function answerOf({ url }: Witness, body: string, witnesses: Witnesses): Promise<Answer | Refusal> {
  try {
    return await witnesses.addCheckpoint(url, body);
  } catch (error) {
    return { why: 'no-answer', says: messageOf(error) };
  }
}

/** Tree size in the body of a 409. */
function sizeIn({ contentType, body }: Answer): number | undefined {
  const isSize = contentType.split(';')[0]?.trim().toLowerCase() === 'text/x.tlog.size';
  const size = isSize && body.length <= SIZE_LIMIT_CHARACTERS ? /^(0|[1-9]\d*)\n$/.exec(body)?.[1] : undefined;
  return size !== undefined && Number.isSafeInteger(Number(size)) ? Number(size) : undefined;
}

function judge({ status, body }: Answer, witness: Witness, note: string): NoteSignature | Refusal {
  if (status === 200) return cosignatureOf(body, witness, note);
  if (status === 404)
    return { why: 'unknown-log', says: "it does not know this log: its operator must add the log's origin and verifier key" };
  if (status === 403)
    return { why: 'untrusted-key', says: "it does not trust the key that signed: its operator must add the log's verifier key" };
  if (status === 422) return { why: 'inconsistent', says: 'it found this tree not to go on from the one that it knows' };
  return { why: 'no-answer', says: `it answered with status ${status}` };
}

/** The first signature of its key; of its other keys, and of other witnesses, nothing is taken. */
function cosignatureOf(body: string, witness: Witness, note: string): NoteSignature | Refusal {
  try {
    const key = parseWitnessKey(witness.verifierKey);
    const own = body
      .split('\n')
      .filter((line) => line !== '')
      .map(parseSignatureLine)
      .find((signature) => isOf(key, signature));
    if (!own) return { why: 'malformed-answer', says: 'it answered without a cosignature of its configured key' };
    openCosignature(parseSignedNote(note).text, own, key);
    return own;
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error;
    return { why: 'malformed-answer', says: error.message };
  }
}
