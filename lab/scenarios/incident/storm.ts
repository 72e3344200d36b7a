import { setTimeout as wait } from 'node:timers/promises';
import type { Region } from '../../../functions/common/ids.ts';
import type { Severity } from '../../../functions/common/incident-policy.ts';
import { alarmNameOf } from '../../../functions/incidents/alarms/alarm-name.ts';
import { AlarmName, Subject } from '../../../functions/incidents/models.ts';
import { people } from '../../incident/policy.ts';
import { press } from './press.ts';
import type { IncidentStage } from './stage.ts';

const perMinute = 10_000;
const seconds = 6;
/** Alarms of things of the config, none of which rings by itself in the standby Region. */
const noise = {
  alarms: ['CpuHigh', 'MemoryHigh', 'ResponseSlow', 'LatencyHigh', 'DiskFull'],
  subjects: ['hospital', 'eu-west-1', 'us-east-1'],
};
const hidden = ['api', 'records', 'orders'];
const promiseSeconds = 15;

interface Sent {
  readonly signalId: string;
  readonly atMs: number;
}

/** Ten thousand changes of alarms a minute, and three services that go down among them. */
export async function storm(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.startedAs('standby');
  await phases.run(`A storm: ${perMinute} events a minute in ${region}, three of severity 1 among them`, async (say) => {
    const queue = world.queueOf(region);
    const { incidents } = world.lab.ports(region);
    const told = world.mailbox.all.length;
    const total = Math.round((perMinute * seconds) / 60);
    const sent: Sent[] = [];
    const urgent = new Map<string, Sent>();
    const began = performance.now();
    while (sent.length < total) {
      while (sent.length < total && began + (sent.length * 60_000) / perMinute <= performance.now()) {
        const number = sent.length;
        const service = hidden[Math.floor((number * (hidden.length + 1)) / total) - 1];
        const isHidden = service !== undefined && !urgent.has(service);
        const change = isHidden ? ({ alarm: 'ServiceDown', subject: service, severity: 1, rings: true } as const) : noiseOf(number);
        const at = new Date(world.lab.clock.now().getTime() + number / 1000);
        const each = put({ ...change, region, at }, (name, body) => queue.put(name, body));
        sent.push(each);
        if (isHidden) urgent.set(service, each);
      }
      await wait(5);
    }
    say(`${sent.length} events in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const pages = await Promise.all(
      [...urgent].map(([service, { atMs }]) =>
        world
          .delivery(
            `about ${service} in the storm`,
            60,
            ({ subject, region: where, person }) =>
              where === region && person === people.first && subject.includes(`ServiceDown of ${service} `),
          )
          .then((page) => ({ service, page, seconds: (page.atMs - atMs) / 1000 })),
      ),
    );
    for (const { page } of pages) await press(page.acknowledgeUrl ?? '');
    await world.until('the queues are empty', 90, () => (queue.depth('signals') + queue.depth('urgent-signals') === 0 ? true : undefined));
    const known = await Promise.all(sent.map(({ signalId }) => incidents.triageOf(signalId)));
    const lost = known.filter((triage) => triage === undefined).length;
    const outcomes = Map.groupBy(
      known.flatMap((triage) => triage ?? []),
      ({ outcome }) => outcome,
    );
    const slowest = Math.max(...pages.map((each) => each.seconds));
    const twice = [...urgent.keys()].filter((service) => {
      const first = world.mailbox.all
        .slice(told)
        .filter(
          ({ subject, person, region: where }) =>
            where === region && person === people.first && subject.includes(`ServiceDown of ${service} `),
        );
      return first.length !== 1;
    });
    findings.measure('stormPageSeconds', slowest);
    findings.objective('stormPageSeconds', promiseSeconds);
    findings.promise(
      'I2.storm',
      'In a storm nothing is lost: each event is on an incident, or silenced or ignored for a reason.',
      lost === 0 && queue.deadLetters('signals').length + queue.deadLetters('urgent-signals').length === 0,
      `${sent.length} in, ${sent.length - lost} out: ${[...outcomes].map(([outcome, each]) => `${each.length} ${outcome}`).join(', ')}`,
    );
    findings.promise(
      'I2.urgent',
      'Each severity 1 in a storm is told once, and none waits behind the rest.',
      twice.length === 0 && slowest < promiseSeconds,
      `${pages.map(({ service, seconds: took }) => `${service} after ${took.toFixed(1)} s`).join(', ')}${twice.length > 0 ? `; told more than once: ${twice.join(', ')}` : ''}`,
    );
    for (const service of hidden) {
      put({ alarm: 'ServiceDown', subject: service, severity: 1, rings: false, region, at: world.lab.clock.now() }, (name, body) =>
        queue.put(name, body),
      );
    }
  });
}

interface Change {
  readonly alarm: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly rings: boolean;
}

/** Each alarm comes and goes in turn, and is well in the end. */
function noiseOf(number: number): Change {
  const { alarms, subjects } = noise;
  const kinds = alarms.length * subjects.length;
  const kind = number % kinds;
  return {
    alarm: alarms[kind % alarms.length] ?? '',
    subject: subjects[Math.floor(kind / alarms.length)] ?? '',
    severity: 4,
    rings: Math.floor(number / kinds) % 2 === 0,
  };
}

/** As EventBridge puts it into the queue of the alarm's severity. */
function put(
  { alarm, subject, severity, rings, region, at }: Change & { readonly region: Region; readonly at: Date },
  to: (queue: 'urgent-signals' | 'signals', body: string) => void,
): Sent {
  const value = rings ? 'ALARM' : 'OK';
  const alarmName = alarmNameOf({ deployment: 'lab', alarm: AlarmName.parse(alarm), subject: Subject.parse(subject), severity });
  const detail = { alarmName, state: { value, timestamp: at.toISOString(), reason: 'storm' } };
  const event = { 'detail-type': 'CloudWatch Alarm State Change', source: 'aws.cloudwatch', region, detail };
  to(severity === 1 ? 'urgent-signals' : 'signals', JSON.stringify(event));
  return { signalId: `cloudwatch/${alarm}/${subject}/${region}/${value}/${at.toISOString()}`, atMs: performance.now() };
}
