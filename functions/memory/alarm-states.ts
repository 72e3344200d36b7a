import { z } from 'zod';
import type { Clock } from '../common/clock.ts';
import { type Region, Timestamp, timestamp } from '../common/ids.ts';
import type { AlarmStates } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

const Standing = z.strictObject({ state: z.enum(['ok', 'alarm', 'insufficient-data']), since: Timestamp });
type State = z.output<typeof Standing>['state'];

export interface MemoryAlarmStates extends AlarmStates, Failable<AlarmStates> {
  /** Since now, unless it is in that state already. */
  set(region: Region, alarmName: string, state: State): void;
}

/** Alarms of every Region, in whatever state somebody put them. */
export function memoryAlarmStates({ clock, store }: { readonly clock: Clock; readonly store: ItemStore }): MemoryAlarmStates {
  const alarms = items(store, 'alarm-states', Standing);
  const port = failable<AlarmStates>({
    async state(region, alarmName) {
      return alarms.get(`${region}/${alarmName}`)?.value;
    },
  });
  return Object.assign(port, {
    set(region: Region, alarmName: string, state: State) {
      const key = `${region}/${alarmName}`;
      if (alarms.get(key)?.value.state !== state) alarms.put(key, { state, since: timestamp(clock.now()) });
    },
  });
}
