import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { Region } from '../../functions/common/ids.ts';
import type { Reports } from '../../functions/failover/ports.ts';

const home = Region.parse('us-east-1');
const away = Region.parse('us-west-2');
const bytes = (text: string) => new TextEncoder().encode(text);

/** What every store of reports must do. */
export function reportsContract(makePort: () => Promise<Reports>): void {
  describe('the reports', () => {
    let reports: Reports;
    beforeEach(async () => {
      reports = await makePort();
    });

    it('gives back the same bytes, and only in the Region where they were stored', async () => {
      await reports.put(home, 'failovers/2.json', bytes('{"epoch":2}'), 'application/json');
      expect(await reports.get(home, 'failovers/2.json')).toEqual(bytes('{"epoch":2}'));
      expect(await reports.get(away, 'failovers/2.json')).toBeUndefined();
    });

    it('takes the same bytes again, and never others under one key', async () => {
      await reports.put(home, 'drills/1.md', bytes('# Drill'), 'text/markdown');
      await reports.put(home, 'drills/1.md', bytes('# Drill'), 'text/markdown');
      await expect(reports.put(home, 'drills/1.md', bytes('# Other'), 'text/markdown')).rejects.toThrow(Conflict);
      expect(await reports.get(home, 'drills/1.md')).toEqual(bytes('# Drill'));
    });

    it('lists the keys below a prefix, ascending', async () => {
      for (const key of ['drills/2', 'drills/10', 'failovers/1', 'drills/1']) await reports.put(home, key, bytes(key), 'text/plain');
      expect(await reports.list(home, 'drills/')).toEqual(['drills/1', 'drills/10', 'drills/2']);
      expect(await reports.list(away, 'drills/')).toEqual([]);
    });
  });
}
