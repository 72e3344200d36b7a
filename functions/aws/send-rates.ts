import { SendRate } from '../incidents/paging/pace.ts';
import type { SendRates } from '../incidents/ports.ts';
import type { AwsSettings } from './settings.ts';
import { stateItems, stateKeys } from './state-items.ts';

/** In the state table of this Region: each Region has channels, and rates, of its own. */
export function sendRatesPort(settings: AwsSettings): SendRates {
  const rates = stateItems(settings, SendRate);
  return {
    async get(method) {
      return (await rates.get(stateKeys.sendRate(settings.region, method)))?.body ?? { at: [], version: 0 };
    },
    put: (method, rate) => rates.put(stateKeys.sendRate(settings.region, method), { ...rate, version: rate.version + 1 }, rate.version),
  };
}
