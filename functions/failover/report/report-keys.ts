import type { Epoch } from '../models.ts';

/** Everything about a change of leadership lies under its epoch: `failovers/000007/report.json`; keys sort as epochs do. */
export const failoverKey = (epoch: Epoch, name: string): string => `${failoversPrefix}${String(epoch).padStart(6, '0')}/${name}`;

export const failoversPrefix = 'failovers/';
