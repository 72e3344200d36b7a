import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../functions/common/clock.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import type { Ports } from '../../functions/common/ports.ts';

/**
 * A process that runs somewhere can end at any moment. In the lab all of them run in one, so what must not go on after a death is held
 * by an abort signal: whatever a handler of a dead region still tries throws, and what it waits for never comes. An answer that was on
 * its way is lost, as in real life: the act may have happened.
 */
const over = (signal: AbortSignal): ServiceUnavailable => new ServiceUnavailable(String(signal.reason ?? 'it is over'));

/** The same port, as somebody sees it who lives until the signal. */
export function livingPort<T extends object>(port: T, signal: AbortSignal): T {
  return new Proxy(port, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        if (signal.aborted) throw over(signal);
        const answer: unknown = Reflect.apply(member, target, given);
        if (!(answer instanceof Promise)) return answer;
        return answer.then((value) => {
          if (signal.aborted) throw over(signal);
          return value;
        });
      };
    },
  });
}

/** Every port of a handler that lives until the signal. */
export function livingPorts(ports: Ports, signal: AbortSignal): Ports {
  return new Proxy(ports, {
    get(target, key) {
      const port: unknown = Reflect.get(target, key);
      return typeof port === 'object' && port !== null ? livingPort(port, signal) : port;
    },
  });
}

/** A clock whose sleeps end with the life of the sleeper. */
export function livingClock(clock: Clock, signal: AbortSignal): Clock {
  return {
    now: () => clock.now(),
    async sleep(milliseconds) {
      try {
        await wait(milliseconds, undefined, { signal });
      } catch {
        throw over(signal);
      }
    },
  };
}
