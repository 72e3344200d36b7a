import type { CoordinationRecord } from '../models.ts';
import type { FenceState } from '../ports.ts';

/**
 * Why a replica does not follow the primary of today, by the lease row that came to it with everything else; undefined when it does.
 *
 * A database that was replaced keeps its replica: the replica streams on, from the damaged one under its new name. The record says in which epoch the primaries
 * of today were opened (`primarySince`), and whatever follows one of them has its first lease of that epoch, or what came after it. What was replaced has never been
 * leased in that epoch: it was closed for it at the most. The epoch of the plan would not do: one that was given back lasts seconds, and changes no history. In the first
 * epoch there is nothing else to follow.
 *
 * A replica that is behind by more than the whole time since the opening cannot be told from one that follows the wrong primary, and is taken for one.
 */
export function whyAstray(
  { installed, epoch, holder }: Pick<FenceState, 'installed' | 'epoch' | 'holder'>,
  { primarySince }: Pick<CoordinationRecord, 'primarySince'>,
): string | undefined {
  if (primarySince === undefined || primarySince <= 1) return undefined;
  if (!installed) return `shows no lease: nobody can tell whether it follows the primary of epoch ${primarySince}`;
  if (epoch > primarySince || (epoch === primarySince && holder !== undefined)) return undefined;
  return epoch === primarySince
    ? `follows what was closed for epoch ${primarySince}, not what was opened in it`
    : `follows a primary of epoch ${epoch}, not ${primarySince}`;
}
