import { join } from 'node:path';
import type { SequencerPorts } from '../../functions/audit/log/sequencer.ts';
import { witnessesPort } from '../../functions/aws/audit/witnesses.ts';
import { days } from '../../functions/common/duration.ts';
import { Region } from '../../functions/common/ids.ts';
import { memoryAuditHead } from '../../functions/memory/audit/head.ts';
import { memoryAuditQueue } from '../../functions/memory/audit/queue.ts';
import { LabClock } from '../clock.ts';
import { loadOperations } from '../operations.ts';
import { attachRegions } from '../regions.ts';
import { fileItemStore } from '../store/file-store.ts';
import { labCheckpointSigner } from './checkpoint-signer.ts';
import { labAuditObjects } from './objects.ts';

/** What a sequencer in another process than the lab's works with: the files of the lab, and the config as it is deployed now. */
export function sequencerPortsIn(dir: string, of: string) {
  const region = Region.parse(of);
  const regions = attachRegions(dir).seenFrom(region);
  const operations = loadOperations(dir);
  const clock = new LabClock();
  const store = fileItemStore(join(dir, 'state'), clock);
  return {
    ...{ operations, region, clock },
    auditHead: memoryAuditHead({ store, region }),
    auditQueue: memoryAuditQueue({ store, region }),
    auditObjects: labAuditObjects(regions, region, clock, days(operations.audit.retention.days)),
    checkpointSigner: labCheckpointSigner(regions, region),
    witnesses: witnessesPort(),
  } satisfies SequencerPorts;
}
