import type { EventBody } from '../../../functions/audit/events/event.ts';
import type { Leaf } from '../../../functions/audit/events/leaf.ts';
import { type ProofCheck, type ProofVerdict, verifyBundle } from '../../../functions/audit/proof/verify-bundle.ts';
import type { CliHost } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';
import { type TrustOptions, trustGiven } from './trust.ts';

/** One proof of the file, as it is printed. */
interface VerifiedProof {
  readonly holds: boolean;
  readonly index: number;
  readonly checkpoint?: { readonly origin: string; readonly size: number /** Base64. */; readonly root: string };
  readonly leaf?: Leaf;
  readonly body?: EventBody;
  readonly checks: readonly ProofCheck[];
}

export interface VerifiedBundle {
  readonly holds: boolean;
  readonly proofs: readonly VerifiedProof[];
}

/**
 * Verifies a file of proofs with nothing but the file and the keys: no config, no account, no network.
 *
 * @throws MisusedCommand without a key; InvalidInput, NoteRefused when file or key are none
 */
export async function verifyBundleFile(bundle: string, options: TrustOptions, host: Pick<CliHost, 'readFile'>): Promise<VerifiedBundle> {
  const { keys, witnesses } = await trustGiven('proof', options, host);
  const verdict = verifyBundle(await host.readFile(bundle), keys, witnesses);
  return { holds: verdict.holds, proofs: verdict.proofs.map(printable) };
}

function printable({ checkpoint, ...verdict }: ProofVerdict): VerifiedProof {
  if (!checkpoint) return verdict;
  const { origin, size, root } = checkpoint;
  return { ...verdict, checkpoint: { origin, size, root: Buffer.from(root).toString('base64') } };
}

export function renderVerifiedBundle({ holds, proofs }: VerifiedBundle, terminal: Pick<Terminal, 'colours'>): string {
  const { colours } = terminal;
  const failed = proofs.filter((proof) => !proof.holds).length;
  const verdict = holds
    ? colours.green(proofs.length === 1 ? 'The proof holds.' : `All ${proofs.length} proofs hold.`)
    : colours.red(
        `${failed} of ${proofs.length} ${proofs.length === 1 ? 'proof' : 'proofs'} do not hold. Believe nothing of what is marked.`,
      );
  return [verdict, ...proofs.flatMap((proof) => ['', ...renderProof(proof, terminal)])].join('\n');
}

function renderProof({ index, leaf, body, checks, checkpoint }: VerifiedProof, { colours }: Pick<Terminal, 'colours'>): readonly string[] {
  const marks = { passed: colours.green('✓'), failed: colours.red('✗'), 'not-checked': colours.dim('-') } as const;
  const what =
    leaf?.format === 'codeblue-audit-leaf/1'
      ? [`  logged ${leaf.recordedAt}: ${leaf.action}, ${leaf.outcome}, event ${leaf.eventId}`]
      : leaf
        ? [`  the end of the log before: ${leaf.size} entries of ${leaf.origin}`]
        : [];
  const who = body
    ? [
        `  ${body.at}: ${body.userId} to ${body.resource}${body.patientRef === undefined ? '' : `, patient ${body.patientRef}`}, told by ${body.service}`,
      ]
    : [];
  const title = `Entry ${index}${checkpoint ? ` of ${checkpoint.origin}` : ''}`;
  return [colours.bold(title), ...what, ...who, ...checks.map(({ outcome, says }) => `  ${marks[outcome]} ${says}`)];
}
