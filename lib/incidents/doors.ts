import { Construct } from 'constructs';
import type { AnyConsumer } from '../../functions/common/consumer.ts';
import type { OpenEndpoint } from '../../functions/common/endpoint.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import { publicAddress } from '../shared/public-address.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { ConsumedQueue } from './signal-queues.ts';
import { SignalRules } from './signal-rules.ts';

/** The ways by which signals come in, and the queues before triage. */
export class SignalDoors extends Construct {
  constructor(
    parent: Construct,
    scope: RegionScope,
    keys: RegionalKeys,
    consumers: readonly { readonly consumer: AnyConsumer; readonly worker: OperationsFunction }[],
  ) {
    super(parent, 'Doors');
    const queues = new Map(
      consumers.map(({ consumer, worker }) => [new ConsumedQueue(this, scope, keys, consumer, worker), consumer.queue]),
    );
    new SignalRules(this, scope, queues);
  }
}

/** Gives an endpoint's function its address. */
export const addressOf = (endpoint: OpenEndpoint, worker: OperationsFunction) =>
  publicAddress(worker.function, { output: 'Url', description: endpoint.summary, because: endpoint.openBecause });
