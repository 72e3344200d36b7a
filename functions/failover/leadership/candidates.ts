import type { Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import type { CoordinationRecord } from '../models.ts';

/** Regions that can lead: every database has a site there, and its primary or its replica stands there. The configured primary first. */
export const candidateRegions = ({ regions, databases }: Pick<Operations, 'regions' | 'databases'>): readonly Region[] =>
  regionsOf({ regions }).filter((region) =>
    databases.every(({ sites, replica }) => sites[region] !== undefined && (region === regions.primary || replica?.region === region)),
  );

/** The Region whose databases accept writes, or did last: while an epoch is being claimed, the one that it is taken from. */
export const leadingRegion = ({ holder, plan }: Pick<CoordinationRecord, 'holder' | 'plan'>): Region => plan?.from ?? holder;
