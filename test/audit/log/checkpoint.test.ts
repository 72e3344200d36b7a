import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkpointText, openNote, parseCheckpoint, signedNote, verifierKey } from '../../../functions/audit/log/checkpoint.ts';
import { isSignedWith, parseSignedNote, parseVerifierKey } from '../../../functions/audit/log/signed-note.ts';

const refused = (message?: string) =>
  expect.objectContaining({ name: 'NoteRefused', ...(message ? { message: expect.stringContaining(message) } : {}) });

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(12));
const origin = 'hms-codeblue-audit/us-east-1/1';
const key = verifierKey(origin, raw);
const checkpoint = { origin, size: 20_852_163, root: Buffer.alloc(32, 7) };
const signed = (text: string, name = origin) => signedNote(text, name, raw, sign(null, Buffer.from(text), privateKey));
const note = signed(checkpointText(checkpoint));

describe('the example of C2SP signed-note', () => {
  const example = [
    'This is an example message.',
    '',
    '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=',
    '',
  ].join('\n');
  const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

  it('verifies with its key', () => {
    const { text, signatures } = parseSignedNote(example);
    const { name, keyId, type, publicKey: exampleRaw } = parseVerifierKey(exampleKey);
    expect(text).toBe('This is an example message.\n');
    expect(signatures.map((each) => [each.name, each.keyId])).toEqual([[name, keyId]]);
    expect(type).toBe(1);
    expect(isSignedWith(exampleRaw, Buffer.from(text), signatures[0]?.signature ?? Buffer.of())).toBe(true);
    expect(isSignedWith(exampleRaw, Buffer.from(text.replace('an', 'no')), signatures[0]?.signature ?? Buffer.of())).toBe(false);
    expect(verifierKey(name, exampleRaw)).toBe(exampleKey);
  });

  it('is no checkpoint', () => expect(() => openNote(example, exampleKey)).toThrow(refused('not that of a checkpoint')));
});

describe('a checkpoint', () => {
  it('is three lines, and comes back out of its note', () => {
    expect(checkpointText(checkpoint)).toBe(`${origin}\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n`);
    expect(openNote(note, key)).toEqual(checkpoint);
    expect(openNote(signed(checkpointText({ ...checkpoint, size: 0 })), key).size).toBe(0);
  });

  it('may carry lines that say nothing here, and signatures of others', () => {
    const extended = signed(`${checkpointText(checkpoint)}some extension\n`);
    const [head, line] = extended.split('\n\n');
    const withOthers = `${head}\n\n— other.example AAAAAAAA\n${line}— ${origin} AAAAAAAA\n`;
    expect(openNote(withOthers, key)).toEqual(checkpoint);
  });

  it('is refused when any character of what was signed is another', () => {
    fc.assert(
      fc.property(fc.nat({ max: checkpointText(checkpoint).length - 1 }), fc.constantFrom('0', 'A', '/', '\n', ' '), (at, other) => {
        fc.pre(note[at] !== other);
        expect(() => openNote(note.slice(0, at) + other + note.slice(at + 1), key)).toThrow(refused());
      }),
    );
  });

  it('is refused when any bit of the signature is another', () => {
    const bytes = Buffer.from(note.split(' ').at(-1)?.trim() ?? '', 'base64');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => openNote(note.replace(bytes.toString('base64'), changed.toString('base64')), key)).toThrow(refused());
      }),
    );
  });

  it('is refused when the key is another one, or one of another log', () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(12);
    expect(() => openNote(note, verifierKey(origin, other))).toThrow(refused('is not signed by the key'));
    expect(() => openNote(note, verifierKey('hms-codeblue-audit/us-west-2/1', raw))).toThrow(refused('is not signed by the key'));
    expect(() => openNote(signed(checkpointText({ ...checkpoint, origin: 'another/log' })), key)).toThrow(refused('log another/log'));
    const spoiled = note.replace(
      /\n$/,
      `\n— ${origin} ${Buffer.concat([Buffer.from(parseVerifierKey(key).keyId, 'hex'), Buffer.alloc(64)]).toString('base64')}\n`,
    );
    expect(() => openNote(spoiled, key)).toThrow(refused('does not belong to this note'));
  });

  it.each([
    ['a size with a leading zero', `${origin}\n01\n${'A'.repeat(43)}=\n`],
    ['a size below zero', `${origin}\n-1\n${'A'.repeat(43)}=\n`],
    ['a size that no number holds', `${origin}\n9999999999999999\n${'A'.repeat(43)}=\n`],
    ['a root of 31 bytes', `${origin}\n1\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root that is written otherwise', `${origin}\n1\n${'A'.repeat(42)}B=\n`],
    ['no root', `${origin}\n1\n`],
    ['no origin', `\n1\n${'A'.repeat(43)}=\n`],
    ['an empty line after it', `${origin}\n1\n${'A'.repeat(43)}=\n\nmore\n`],
    ['no line feed at its end', `${origin}\n1\n${'A'.repeat(43)}=`],
  ])('is none with %s', (_, text) => expect(() => parseCheckpoint(text)).toThrow(refused()));

  it.each([
    ['nothing', ''],
    ['no signature', `${checkpointText(checkpoint)}\n`],
    ['a control character', note.replace('hms', 'h\tms')],
    ['a carriage return', note.replaceAll('\n', '\r\n')],
    [
      'half a character, which the signature over its substitute would cover',
      signed(`${checkpointText(checkpoint)}\ufffd\n`).replace('\ufffd', '\ud800'),
    ],
    ['a line that is no signature', `${note}hello\n`],
    ['a signature without its last line feed', note.slice(0, -1)],
    ['too many signatures', `${note}${'— a.example AAAAAAAA\n'.repeat(101)}`],
  ])('is not read out of a note with %s', (_, text) => expect(() => openNote(text, key)).toThrow(refused()));

  it('is read with at least sixteen signatures', () => {
    expect(openNote(`${note}${'— a.example AAAAAAAA\n'.repeat(16)}`, key)).toEqual(checkpoint);
  });
});

describe('a verifier key', () => {
  it.each([
    ['another id', key.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['an unknown type', `a+00000000+${Buffer.alloc(33, 2).toString('base64')}`],
    ['a short key', `a+00000000+${Buffer.alloc(20, 1).toString('base64')}`],
    ['no parts', 'abc'],
    ['a space in its name', key.replace('hms', 'h ms')],
  ])('is refused with %s', (_, text) => expect(() => parseVerifierKey(text)).toThrow(refused()));

  it('is made of names that a note can hold only', () => {
    expect(() => verifierKey('a b', raw)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    expect(() => verifierKey('a+b', raw)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    expect(() => verifierKey('a', raw.subarray(1))).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
  });
});
