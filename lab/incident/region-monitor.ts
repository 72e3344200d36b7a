import { setTimeout as wait } from 'node:timers/promises';
import type { Region } from '../../functions/common/ids.ts';
import { deadLetterQueueName, queueName, queueNames } from '../../functions/common/names.ts';
import { tellingPrefix } from '../../functions/incidents/alarms/alarm-name.ts';
import type { AlarmRow } from '../../functions/incidents/alarms/alarm-row.ts';
import { alarmTable } from '../../functions/incidents/alarms/table.ts';
import type { Metrics } from '../../functions/maintenance/ports.ts';
import type { MemorySignalQueue } from '../../functions/memory/signal-queue.ts';
import { tasks } from '../../functions/tasks.ts';
import type { Lab } from '../lab.ts';
import { type AlarmEvent, LabCloudWatch } from './cloudwatch.ts';
import { faster } from './policy.ts';
import { ServerSampler } from './samplers.ts';

/** A mail of the alarm topic. */
export interface TopicMail {
  readonly region: Region;
  readonly alarm: string;
  readonly state: string;
  readonly atMs: number;
}

const LOOK_MS = 250;

/** One Region's monitoring: samples its server and its queues, evaluates its alarms, and gives what changed to the queues by the deployed rules. It dies with its Region. */
export class RegionMonitor {
  readonly cloudWatch: LabCloudWatch;
  readonly #lab: Lab;
  readonly #region: Region;
  readonly #queue: MemorySignalQueue;
  readonly #server: ServerSampler | undefined;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(lab: Lab, region: Region, queue: MemorySignalQueue, mail: (mail: TopicMail) => void) {
    const { operations, clock, regions } = lab;
    this.#lab = lab;
    this.#region = region;
    this.#queue = queue;
    const emit = (event: AlarmEvent, { tells, alarm }: AlarmRow): void => {
      if (tells === 'topic') mail({ region, alarm, state: event.detail.state.value, atMs: performance.now() });
      else
        queue.put(
          event.detail.alarmName.startsWith(tellingPrefix(operations.name, 1)) ? 'urgent-signals' : 'signals',
          JSON.stringify(event),
        );
    };
    this.cloudWatch = new LabCloudWatch({ region, operations, clock, rows: alarmTable({ operations, region, tasks }), faster, emit });
    const hasServer = regions.state.regions.some(({ name, port }) => name === region && port !== undefined);
    this.#server = hasServer
      ? new ServerSampler(regions, region, operations, this.cloudWatch, region !== regions.startedAs('primary'))
      : undefined;
  }

  /** A data point that Codeblue itself wrote in this Region. */
  note({ capability, name, dimensions, value }: Parameters<Metrics['put']>[0]): void {
    this.cloudWatch.put({ namespace: `Codeblue/${capability}`, name, dimensions }, value);
  }

  start(): void {
    this.#loop ??= this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#server?.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#lab.regions.faults.isUp(this.#region)) {
        await this.#server?.sample();
        this.#sampleQueues();
        this.cloudWatch.look();
      }
      await wait(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  #sampleQueues(): void {
    const { operations } = this.#lab;
    for (const name of queueNames) {
      const put = (metric: string, QueueName: string, value: number): void =>
        this.cloudWatch.put({ namespace: 'AWS/SQS', name: metric, dimensions: { QueueName } }, value);
      put('ApproximateAgeOfOldestMessage', queueName(operations, name), this.#queue.oldestAgeSeconds(name));
      put('ApproximateNumberOfMessagesVisible', deadLetterQueueName(operations, name), this.#queue.deadLetters(name).length);
    }
  }
}
