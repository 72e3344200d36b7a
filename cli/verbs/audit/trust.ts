import { parseVerifierKey } from '../../../functions/audit/log/signed-note.ts';
import type { WitnessTrust } from '../../../functions/audit/proof/verify-bundle.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { MisusedCommand } from '../../misused-command.ts';
import type { CliHost } from '../../session.ts';

/** Whom somebody who verifies offline believes: keys that came by another way than what is verified. */
export interface TrustOptions {
  readonly key?: readonly string[];
  readonly keyFile?: readonly string[];
  readonly witness?: readonly string[];
  readonly quorum?: number;
}

export interface Trust {
  /** Verifier keys of logs; one at least. */
  readonly keys: readonly string[];
  readonly witnesses?: WitnessTrust;
}

/** @throws MisusedCommand without a key; InvalidInput when a file holds none; NoteRefused for a key that is none */
export async function trustGiven(what: 'proof' | 'copy', options: TrustOptions, host: Pick<CliHost, 'readFile'>): Promise<Trust> {
  const { key = [], keyFile = [], witness = [], quorum } = options;
  if (key.length + keyFile.length === 0)
    throw new MisusedCommand(`a ${what} is verified with the key of its log, which must not come with the ${what}`, {
      hint: "Give --key '<verifier key>' or --key-file <file>; docs/audit-evidence.md says where to have it from.",
    });
  const witnesses = witnessesIn(witness, quorum);
  const keys = [...key, ...(await Promise.all(keyFile.map(async (file) => keysIn(await host.readFile(file), file)))).flat()];
  for (const each of [...keys, ...witness]) parseVerifierKey(each);
  return { keys, ...(witnesses ? { witnesses } : {}) };
}

/** A key a line; empty lines and those that begin with # say nothing. */
function keysIn(text: string, file: string): readonly string[] {
  const keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length > 0) return keys;
  throw new InvalidInput(`there is no key in ${file}`, { hint: 'Wanted: a line such as <origin>+<id>+<base64>.' });
}

/** All of the named ones, unless fewer are asked for. */
function witnessesIn(keys: readonly string[], quorum: number | undefined): WitnessTrust | undefined {
  if (keys.length === 0 && quorum !== undefined)
    throw new MisusedCommand('--quorum counts witnesses, and none is named', { hint: 'Add --witness.' });
  return keys.length === 0 ? undefined : { keys, quorum: quorum ?? keys.length };
}
