import { auditLogOrigin } from '../../common/names.ts';
import { verifierKey } from './checkpoint.ts';
import type { LogKey, SequencerPorts } from './sequencer.ts';

/** Of this Region's log. @throws NotFound, ServiceUnavailable */
export async function logKey(
  generation: number,
  { operations, region, checkpointSigner }: Pick<SequencerPorts, 'operations' | 'region' | 'checkpointSigner'>,
): Promise<LogKey> {
  const origin = auditLogOrigin(operations, region, generation);
  const publicKey = await checkpointSigner.publicKey(region, generation);
  return { generation, origin, publicKey, verifierKey: verifierKey(origin, publicKey) };
}
