import { randomUUID } from 'node:crypto';
import type { Clock } from '../../functions/common/clock.ts';
import { type Region, type Timestamp, timestamp } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { alarmNameOf } from '../../functions/incidents/alarms/alarm-name.ts';
import type { AlarmRow, Series } from '../../functions/incidents/alarms/alarm-row.ts';
import { withCauses } from '../../functions/incidents/alarms/causes.ts';
import { type AlarmState, evaluate } from '../../functions/incidents/alarms/evaluate.ts';
import { isShare, seriesOf, statisticOf } from './statistics.ts';

type SeriesId = Pick<Series, 'namespace' | 'name' | 'dimensions'>;

interface Point {
  readonly atMs: number;
  readonly value: number;
}

interface Watched {
  readonly name: string;
  readonly row: AlarmRow;
  readonly causes: readonly AlarmRow[];
  /** By its own metric. */
  metricState: AlarmState;
  /** Of the alarm that tells people: a composite where the row has causes. */
  state: AlarmState;
  since: Timestamp;
}

export interface LabCloudWatchOptions {
  readonly region: Region;
  readonly operations: Operations;
  readonly clock: Clock;
  /** The Region's table of alarms. */
  readonly rows: readonly AlarmRow[];
  /** How many seconds of CloudWatch go by in one of the lab. */
  readonly faster: number;
  /** To EventBridge. */
  readonly emit: (event: AlarmEvent, row: AlarmRow) => void;
}

/** As CloudWatch gives it to EventBridge ("Alarm events and EventBridge", CloudWatch User Guide). */
export type AlarmEvent = ReturnType<typeof alarmEvent>;

/** CloudWatch looks at a few periods more than N. */
const periodsBeyond = 2;
/** A minute of CloudWatch holds a dozen looks of an observer, one of the lab two at most: on a busy machine a late look is not silence until so many periods have gone by without one. */
const patience = 4;

/**
 * CloudWatch's part of one Region: data points of what the lab's servers and services show, alarms and composites of the deployed table over them, evaluated by the rules that the table is tested
 * with. Its time goes faster, because a period of CloudWatch is a minute; nothing else differs. Alarms on series of which nothing was ever put are not evaluated: nobody in the lab writes them.
 */
export class LabCloudWatch {
  readonly #options: LabCloudWatchOptions;
  readonly #points = new Map<string, Point[]>();
  readonly #firstAt = new Map<string, number>();
  readonly #alarms: readonly Watched[];
  readonly #longestMs: number;

  constructor(options: LabCloudWatchOptions) {
    const { clock, rows, operations } = options;
    this.#options = options;
    const since = timestamp(clock.now());
    this.#alarms = withCauses(rows).map(({ row, causes }) => {
      const name = alarmNameOf({ ...row, deployment: operations.name });
      return { name, row, causes, metricState: 'insufficient-data', state: 'insufficient-data', since };
    });
    this.#longestMs = Math.max(0, ...rows.map((row) => this.#periodMs(row) * (row.periods + periodsBeyond + patience)));
  }

  put({ namespace, name, dimensions }: SeriesId, value: number): void {
    const key = keyOf({ namespace, name, dimensions });
    const atMs = performance.now();
    if (!this.#firstAt.has(key)) this.#firstAt.set(key, atMs);
    const points = this.#points.get(key) ?? [];
    points.push({ atMs, value });
    this.#points.set(
      key,
      points.filter((point) => atMs - point.atMs <= this.#longestMs),
    );
  }

  /** Evaluates every alarm, and tells of those that changed. */
  look(): void {
    const now = performance.now();
    const written = this.#alarms.filter(({ row }) => this.#isWritten(row));
    for (const watched of written) watched.metricState = evaluate(watched.row, this.#range(watched.row, now), watched.metricState);
    const ringing = new Set(written.filter(({ metricState }) => metricState === 'alarm').map(({ row }) => row));
    for (const watched of written) {
      const next = stateOf(watched, ringing);
      if (next === watched.state) continue;
      const before = { value: watched.state, since: watched.since };
      watched.state = next;
      watched.since = timestamp(this.#options.clock.now());
      this.#options.emit(alarmEvent(this.#options, watched, before), watched.row);
    }
  }

  state(alarmName: string): { readonly state: AlarmState; readonly since: Timestamp } | undefined {
    const found = this.#alarms.find(({ name }) => name === alarmName);
    return found && { state: found.state, since: found.since };
  }

  /** Rows whose own metric is past its threshold, whether anybody is told or not. */
  get ringing(): readonly AlarmRow[] {
    return this.#alarms.filter(({ metricState }) => metricState === 'alarm').map(({ row }) => row);
  }

  /** Rows that something in the lab writes the metric of. */
  get evaluated(): readonly AlarmRow[] {
    return this.#alarms.filter(({ row }) => this.#isWritten(row)).map(({ row }) => row);
  }

  #periodMs({ periodSeconds }: AlarmRow): number {
    return (periodSeconds * 1000) / this.#options.faster;
  }

  /** For as long as its alarm looks back: nothing was missing before the lab began. */
  #isWritten(row: AlarmRow): boolean {
    const since = performance.now() - this.#periodMs(row) * row.periods;
    return seriesOf(row.metric).every((series) => (this.#firstAt.get(keyOf(series)) ?? Number.POSITIVE_INFINITY) <= since);
  }

  /** The periods that end now, oldest first. */
  #range(row: AlarmRow, now: number): readonly (number | undefined)[] {
    const length = this.#periodMs(row);
    return Array.from({ length: row.periods + periodsBeyond }, (_, index) => {
      const end = now - (row.periods + periodsBeyond - 1 - index) * length;
      return this.#valueOf(row.metric, end - length, end);
    });
  }

  #valueOf(metric: AlarmRow['metric'], from: number, until: number): number | undefined {
    const one = (series: Series): number | undefined => {
      const points = this.#points.get(keyOf(series)) ?? [];
      const within = points.filter(({ atMs }) => from < atMs && atMs <= until);
      const late = points.findLast(({ atMs }) => until - patience * (until - from) < atMs && atMs <= from);
      const counted = within.length > 0 || late === undefined ? within : [late];
      return statisticOf(
        series.statistic,
        counted.map(({ value }) => value),
      );
    };
    if (!isShare(metric)) return one(metric);
    const whole = one(metric.whole);
    if (whole === undefined) return undefined;
    const part = metric.parts.reduce((sum, series) => sum + (one(series) ?? 0), 0);
    return whole === 0 ? 0 : (100 * part) / whole;
  }
}

const keyOf = ({ namespace, name, dimensions }: SeriesId): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);

const inWords = { ok: 'OK', alarm: 'ALARM', 'insufficient-data': 'INSUFFICIENT_DATA' } as const;

/** A composite rings while its row does and none of the causes: one cause tells once. */
function stateOf({ row, causes, metricState }: Watched, ringing: ReadonlySet<AlarmRow>): AlarmState {
  if (causes.length === 0) return metricState;
  return ringing.has(row) && !causes.some((cause) => ringing.has(cause)) ? 'alarm' : 'ok';
}

function alarmEvent(
  { operations: { account }, region }: Pick<LabCloudWatchOptions, 'operations' | 'region'>,
  { name, row, state, since }: Watched,
  before: { readonly value: AlarmState; readonly since: Timestamp },
) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account,
    time: since,
    region,
    resources: [`arn:aws:cloudwatch:${region}:${account}:alarm:${name}`],
    detail: {
      alarmName: name,
      configuration: { description: row.says },
      previousState: { value: inWords[before.value], reason: 'evaluated', timestamp: before.since },
      state: { value: inWords[state], reason: 'evaluated', timestamp: since },
    },
  };
}
