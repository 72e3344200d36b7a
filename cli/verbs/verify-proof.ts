import { InvalidInput, messageOf } from '../../functions/common/errors.ts';
import { parseAs } from '../../functions/common/parse.ts';
import { isSignedBy, SignedProof } from '../../functions/verify/proof.ts';
import type { Terminal } from '../terminal.ts';
import { renderProof } from './verify.ts';

export interface OfflineVerification {
  /** True when the key signed exactly this proof: not a byte of it was changed since. */
  readonly signatureValid: boolean;
  readonly signed: SignedProof;
}

/**
 * Checks a proof with nothing but the file and the public key: no account, no network.
 *
 * @throws InvalidInput when the file is no proof or the key no public key
 */
export function verifyProof(proofText: string, publicKeyPem: string): OfflineVerification {
  const signed = parseAs(SignedProof, parseJson(proofText), 'the proof');
  try {
    return { signatureValid: isSignedBy(signed, publicKeyPem), signed };
  } catch (cause) {
    throw new InvalidInput(`the key cannot be used: ${messageOf(cause)}`, {
      hint: 'It must be an Ed25519 public key in PEM form (-----BEGIN PUBLIC KEY-----).',
      cause,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidInput(`the proof is no JSON: ${messageOf(cause)}`, {
      hint: 'It is one file per verification under proofs/ in the bucket of each Region.',
      cause,
    });
  }
}

export function renderOfflineVerification({ signatureValid, signed }: OfflineVerification, terminal: Pick<Terminal, 'colours'>): string {
  const { colours } = terminal;
  if (!signatureValid) {
    return colours.red('The signature does not fit: the proof was changed, or another key signed it. Trust nothing in it.');
  }
  return [colours.green('The signature fits: this proof is as it was signed.'), '', renderProof(signed, terminal)].join('\n');
}
