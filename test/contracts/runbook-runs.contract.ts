import { describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';
import type { RunbookRun } from '../../functions/incidents/runbooks/models.ts';
import type { RunbookRuns } from '../../functions/incidents/runbooks/ports.ts';

const run: RunbookRun = {
  ...{ runId: 'run-20261121t120000z-mend', runbook: 'mend', kind: 'restart-service', target: 'capacity/orders-api' },
  startedAt: timestamp(new Date('2026-11-21T12:00:00Z')),
  until: timestamp(new Date('2026-11-21T12:25:00Z')),
  act: { kind: 'restart-service', capacity: 'orders-api', wanted: 4, running: 3 },
};

/** What every store of a Region's runs must do. */
export function runbookRunsContract(make: () => Promise<{ in(region: Region): RunbookRuns }>): void {
  describe('runs of automated runbooks', () => {
    it('are written only by whoever has read the newest, and by each Region its own', async () => {
      const store = await make();
      const [east, west] = ['us-east-1', 'us-west-2'].map((name) => store.in(Region.parse(name)));
      if (!east || !west) throw new Error('two Regions');
      const empty = await east.history();
      expect(empty).toEqual({ runs: [], version: 0 });
      await east.put({ ...empty, runs: [run] });
      await expect(east.put({ ...empty, runs: [] })).rejects.toThrow(Conflict);
      const next = await east.history();
      expect(next).toEqual({ runs: [run], version: 1 });
      await east.put({ ...next, runs: [{ ...run, endedAt: run.until, outcome: 'helped' }] });
      await expect(east.put(next)).rejects.toThrow(Conflict);
      expect((await east.history()).runs).toMatchObject([{ outcome: 'helped' }]);
      expect(await west.history()).toEqual({ runs: [], version: 0 });
    });
  });
}
