import { minutes } from '../../functions/common/duration.ts';
import type { ContactMethod, IncidentPolicy, Severity } from '../../functions/common/incident-policy.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { type Ports, portsFor } from '../../functions/common/ports.ts';
import { lookAt } from '../../functions/incidents/escalation/look.ts';
import type { Incident, Page } from '../../functions/incidents/models.ts';
import { sendPages } from '../../functions/incidents/paging/send-pages.ts';
import { type SendingContext, sendingNeeds } from '../../functions/incidents/paging/sending.ts';
import { memoryChannels } from '../../functions/memory/channels.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { toMicros, VirtualTime } from '../../simulation/virtual-time.ts';
import { type Death, watchedRun } from './dying-run.ts';
import { anIncident, aSignal, dedupKeyOf, home } from './incidents.ts';
import { testOperations } from './operations.ts';

const startsAt = Date.parse('2026-11-21T07:00:00.000Z');

export const wayTo = (id: string, kind: ContactMethod['kind']): ContactMethod => {
  switch (kind) {
    case 'email':
      return { kind, address: `${id}@example.org` };
    case 'sms':
      return { kind, number: '+15551234567' };
    case 'https':
      return { kind, url: `https://${id}.example.org/page` };
    case 'pagerduty':
    case 'slack':
      return { kind };
  }
};

const person = (id: string, ...kinds: readonly ContactMethod['kind'][]): IncidentPolicy['people'][number] => ({
  ...{ id, name: id, principals: [] },
  urgent: kinds.map((kind) => wayTo(id, kind)),
});

const base = testOperations();

/** Everybody of the list is told at once, and again every five minutes. */
export const pagingOperations = (people: Readonly<Record<string, readonly ContactMethod['kind'][]>>): Operations =>
  testOperations({
    incidents: {
      ...base.incidents,
      mode: 'on',
      people: Object.entries(people).map(([id, kinds]) => person(id, ...kinds)),
      schedules: [
        {
          ...{ id: 'doctors', timeZone: 'Etc/UTC' },
          layers: [{ people: Object.keys(people).slice(0, 1), from: '2026-11-20', handOver: { everyDays: 1, at: '08:00' } }],
        },
      ],
      policies: [
        {
          id: 'default',
          steps: [{ notify: Object.keys(people).map((id) => ({ person: id })), wait: minutes(5) }],
          repeats: 3,
          acknowledgements: {},
        },
      ],
    },
  });

/** Senders of one Region under a clock that jumps from event to event. */
export function pagingWorld(operations: Operations) {
  const time = new VirtualTime();
  const clock = {
    now: () => new Date(startsAt + Math.floor(time.now / 1000)),
    sleep: (milliseconds: number) =>
      new Promise<void>((resolve) => void time.after(toMicros(milliseconds / 1000), () => time.wake(resolve))),
  };
  const channels = memoryChannels(clock);
  const ports = memoryPorts({ operations, clock, store: memoryItemStore(clock), channels });
  const context = (given: Partial<Ports> = ports, seconds = 120): SendingContext => ({
    ...portsFor(sendingNeeds, given),
    ...{ operations, region: home, clock, log: silentLogger, codeSha256: '0c'.repeat(32) },
    scheduledAt: clock.now(),
    deadline: new Date(clock.now().getTime() + seconds * 1000),
  });
  const outcomes: { left?: number; error?: unknown }[] = [];

  return {
    ...{ ports, clock, channels, context, outcomes },
    elapsedSeconds: () => time.now / 1_000_000,
    /** Opens an incident, and writes down the pages that it wants now. */
    async incident(mark: string, severity: Severity = 2): Promise<Incident> {
      const trouble = { ...aSignal({ alarm: 'ServiceDown', subject: 'orders' }), dedupKey: dedupKeyOf(mark) };
      const opened = anIncident({ mark, severity, openedAt: clock.now().toISOString() });
      const [first] = opened.troubles;
      if (!first) throw new Error('no trouble');
      const incident: Incident = { ...opened, groupKey: mark, troubles: [{ ...first, dedupKey: trouble.dedupKey, severity }] };
      await ports.incidents.create(incident, undefined);
      return incident;
    },
    async plan(incident: Incident): Promise<void> {
      const { pages } = await lookAt(incident, { ...ports, operations }, clock.now());
      for (const { overtaken, ...page } of pages) {
        if (!overtaken) await ports.outbox.add({ ...page, status: 'pending', attempts: 0, version: 0 });
      }
    },
    async pages(...incidents: readonly Incident[]): Promise<readonly Page[]> {
      return (await Promise.all(incidents.map(({ id }) => ports.outbox.of(id)))).flat();
    },
    /** One sender; what it throws is kept, not thrown. */
    async send(death?: Death, first?: Incident): Promise<readonly string[]> {
      const watched = watchedRun(ports, { death });
      try {
        outcomes.push(await sendPages(context(watched.ports), clock.now(), first?.id));
      } catch (error) {
        outcomes.push({ error });
      }
      return watched.calls;
    },
    at: (second: number, act: () => Promise<unknown> | unknown) => time.at(toMicros(second), () => time.wake(() => void act())),
    run: (seconds: number) => time.run(() => time.now >= toMicros(seconds)),
  };
}

export type PagingWorld = ReturnType<typeof pagingWorld>;
