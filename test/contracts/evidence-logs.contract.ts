import { beforeEach, describe, expect, it } from 'vitest';
import { NotFound } from '../../functions/common/errors.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';
import type { EvidenceEvent, EvidenceLogs } from '../../functions/failover/ports.ts';

export interface EvidenceLogsHarness {
  readonly evidenceLogs: EvidenceLogs;
  /** A group of that Region that holds exactly these events, oldest first; more of them than a page holds. */
  readonly region: Region;
  readonly group: string;
  readonly events: readonly EvidenceEvent[];
  /** A name in the config of that Region under which nothing is. */
  readonly missing: string;
}

const elsewhere = Region.parse('ap-southeast-2');

/** What every reader of the logs must do. */
export function evidenceLogsContract(make: () => Promise<EvidenceLogsHarness>): void {
  describe('the logs that are evidence', () => {
    let harness: EvidenceLogsHarness;
    beforeEach(async () => {
      harness = await make();
    });

    async function read(from: Date, until: Date): Promise<{ readonly ids: readonly string[]; readonly pages: number }> {
      const { evidenceLogs, region, group } = harness;
      const events: EvidenceEvent[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await evidenceLogs.page({ region, group, from, until, cursor });
        events.push(...page.events);
        cursor = page.cursor;
        pages++;
      } while (cursor !== undefined);
      expect(events.filter(({ id }) => harness.events.some((event) => event.id === id))).toEqual(events.map(({ id }) => known(id)));
      return { ids: events.map(({ id }) => id), pages };
    }
    const known = (id: string) => harness.events.find((event) => event.id === id);
    const moment = (index: number) => new Date(harness.events.at(index)?.at ?? timestamp(new Date(0)));

    it('are listed once each, ascending, and what the config names and nobody finds is told', async () => {
      const groups = await harness.evidenceLogs.groups(harness.region);
      const names = groups.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)].sort());
      expect(groups).toContainEqual({ name: harness.group, exists: true });
      expect(groups).toContainEqual({ name: harness.missing, exists: false });
      expect((await harness.evidenceLogs.groups(elsewhere)).map(({ name }) => name)).not.toContain(harness.group);
    });

    it('are read to their end, page by page, as they were written', async () => {
      const { ids, pages } = await read(moment(0), new Date(moment(-1).getTime() + 1));
      expect(ids).toEqual(harness.events.map(({ id }) => id));
      expect(pages).toBeGreaterThan(1);
    });

    it('are read from a moment on and up to, but not at, another', async () => {
      const { ids } = await read(moment(1), moment(-1));
      expect(ids).toEqual(harness.events.slice(1, -1).map(({ id }) => id));
    });

    it('of a group that is not there are not found', async () => {
      const { evidenceLogs, region, missing } = harness;
      await expect(evidenceLogs.page({ region, group: missing, from: moment(0), until: moment(-1) })).rejects.toThrow(NotFound);
    });
  });
}
