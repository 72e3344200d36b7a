import { InvalidInput } from '../../functions/common/errors.ts';
import type { AuditFlaws } from './audit-world.ts';
import { breakagesOfIngest } from './breakages-of-ingest.ts';
import { breakagesOfPublishing } from './breakages-of-publishing.ts';
import { breakagesOfSequencing } from './breakages-of-sequencing.ts';

/** The protocol of ADR 10 broken in one place: the simulation must find each. */
export interface AuditBreakage {
  readonly name: string;
  readonly says: string;
  readonly flaws: AuditFlaws;
}

/**
 * Not among them, because they break nothing: a head that is read late (a choice stands only on the version that it was made for), leaves out of the index (they never change),
 * objects written over what is there (the bytes are the same), events settled before the checkpoint is published (whoever finishes the claimed batch publishes it), and a batch
 * finished by somebody who was relieved.
 */
export const auditBreakages: readonly AuditBreakage[] = [...breakagesOfIngest, ...breakagesOfSequencing, ...breakagesOfPublishing];

/** @throws InvalidInput naming those that exist */
export function auditBreakageNamed(name: string): AuditBreakage {
  const found = auditBreakages.find((each) => each.name === name);
  if (found) return found;
  throw new InvalidInput(`there is no breakage "${name}" of the audit log`, {
    hint: `There are: ${auditBreakages.map((each) => each.name).join(', ')}.`,
  });
}
