import { beforeEach, describe, expect, it } from 'vitest';
import type { Region } from '../../functions/common/ids.ts';
import type { Allowances } from '../../functions/incidents/ports.ts';
import { elsewhere } from '../support/incidents.ts';

const minute = new Date('2026-11-21T07:00:00Z');
const next = new Date('2026-11-21T07:01:00Z');

/**
 * What every counter of allowances must do. `in` is the same one as another Region's functions have it. `atOnce` is false for moto, whose UpdateItem looks at the condition
 * and adds in two steps: DynamoDB does both in one.
 */
export function allowancesContract(
  makePorts: () => Promise<{ readonly allowances: Allowances; in(region: Region): Allowances }>,
  { atOnce = true }: { readonly atOnce?: boolean } = {},
): void {
  describe('allowances', () => {
    let allowances: Allowances;
    let inRegion: (region: Region) => Allowances;
    beforeEach(async () => {
      const made = await makePorts();
      allowances = made.allowances;
      inRegion = (region) => made.in(region);
    });

    it('are given as long as they last, whole or not at all', async () => {
      expect(await allowances.take('icinga', minute, 6, 10)).toBe(true);
      expect(await allowances.take('icinga', minute, 5, 10)).toBe(false);
      expect(await allowances.take('icinga', minute, 4, 10)).toBe(true);
      expect(await allowances.take('icinga', minute, 1, 10)).toBe(false);
      expect(await allowances.take('icinga', next, 11, 10)).toBe(false);
    });

    it('are anew with each minute, and apart by name and Region', async () => {
      expect(await allowances.take('icinga', minute, 10, 10)).toBe(true);
      expect(await allowances.take('icinga', next, 10, 10)).toBe(true);
      expect(await allowances.take('prometheus', minute, 10, 10)).toBe(true);
      expect(await inRegion(elsewhere).take('icinga', minute, 10, 10)).toBe(true);
    });

    if (!atOnce) return;
    it('are not given twice to those who ask at once', async () => {
      const asked = await Promise.all(Array.from({ length: 8 }, () => allowances.take('icinga', minute, 1, 5)));
      expect(asked.filter(Boolean)).toHaveLength(5);
    });
  });
}
