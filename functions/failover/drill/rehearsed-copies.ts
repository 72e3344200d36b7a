import { createHash } from 'node:crypto';
import type { DatabaseId } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { RehearsalRequest } from './models.ts';

/** Which temporary database belongs to which database. */
export interface RehearsedCopy {
  readonly databaseId: DatabaseId;
  readonly restoredId: string;
}

/**
 * Names follow from the rehearsal alone, so that a repeated step finds what the first one made, and the teardown finds it whatever the record says. RDS takes 63
 * characters: the database's own name is there for people, the digest tells two of them apart.
 */
export const copiesOf = (
  { databases }: Pick<Operations, 'databases'>,
  { rehearsalId }: Pick<RehearsalRequest, 'rehearsalId'>,
): readonly RehearsedCopy[] =>
  databases.map(({ id }) => {
    const digest = createHash('sha256').update(`${rehearsalId}/${id}`).digest('hex').slice(0, 8);
    const readable = id.slice(0, 24).replace(/-+$/, '');
    return { databaseId: id, restoredId: `cbv-r-${rehearsalId.slice('rehearsal-'.length)}-${readable}-${digest}` };
  });
