import { systemClock } from '../../../functions/common/clock.ts';
import { Conflict } from '../../../functions/common/errors.ts';
import { fileItemStore } from '../../../lab/store/file-store.ts';

/** Adds one to a shared counter as often as it is told, reading and deciding again when another process was faster. */
const [dir = '', times = '0'] = process.argv.slice(2);
const store = fileItemStore(dir, systemClock);
for (let done = 0; done < Number(times); ) {
  const found = store.get('counters', 'shared');
  try {
    store.put('counters', 'shared', Number(found?.value ?? 0) + 1, found ? { version: found.version } : 'absent');
    done++;
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}
