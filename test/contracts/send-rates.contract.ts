import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import type { SendRates } from '../../functions/incidents/ports.ts';
import { elsewhere } from '../support/incidents.ts';

/** What every store of rates must do. `in` is the same one as another Region's functions have it. */
export function sendRatesContract(makePorts: () => Promise<{ readonly sendRates: SendRates; in(region: Region): SendRates }>): void {
  describe('the rates of channels', () => {
    const at = [timestamp(new Date('2026-11-21T07:00:00Z'))];
    let rates: SendRates;
    let inRegion: (region: Region) => SendRates;
    beforeEach(async () => {
      const made = await makePorts();
      rates = made.sendRates;
      inRegion = (region) => made.in(region);
    });

    it('begin with nothing, and keep what is written for each channel', async () => {
      expect(await rates.get('email')).toEqual({ at: [], version: 0 });
      await rates.put('email', { at, version: 0 });
      expect(await rates.get('email')).toEqual({ at, version: 1 });
      expect(await rates.get('sms')).toEqual({ at: [], version: 0 });
    });

    it('let one of two writers through', async () => {
      const writers = await Promise.allSettled([1, 2].map(() => rates.put('email', { at, version: 0 })));
      expect(writers.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { name: 'Conflict' } }]);
      await rates.put('email', { at: [], version: 1 });
      await expect(rates.put('email', { at, version: 1 })).rejects.toThrow(Conflict);
    });

    it('are each Region its own', async () => {
      await rates.put('email', { at, version: 0 });
      expect(await inRegion(elsewhere).get('email')).toEqual({ at: [], version: 0 });
    });
  });
}
