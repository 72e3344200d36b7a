import { actLog } from '../../functions/audit/events/act-log.ts';
import { verifierKey } from '../../functions/audit/log/checkpoint.ts';
import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import { Region } from '../../functions/common/ids.ts';
import { auditLogOrigin } from '../../functions/common/names.ts';
import { memoryCheckpointSigner } from '../../functions/memory/audit/checkpoint-signer.ts';
import { memoryAuditEvents } from '../../functions/memory/audit/events.ts';
import { memoryAuditHead } from '../../functions/memory/audit/head.ts';
import { memoryAuditObjects, type ObjectVersions } from '../../functions/memory/audit/objects.ts';
import { memoryAuditQueue } from '../../functions/memory/audit/queue.ts';
import { failable } from '../../functions/memory/failable.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { aRecordedEvent, type GivenEvent } from '../support/audit-world.ts';
import { type CliWorldSettings, cliWorld } from '../support/cli.ts';

/** A command line over audit logs of three Regions in memory, run by alice; it is 12:00. */
export function auditCliWorld({ host = {}, ...settings }: Pick<CliWorldSettings, 'host' | 'isTTY'> = {}) {
  const versions: ObjectVersions = new Map();
  const made = new Map<Region, ReturnType<typeof portsIn>>();
  const portsOf = (region: Region) => {
    const ports = made.get(region) ?? portsIn(region);
    made.set(region, ports);
    return ports;
  };
  const open = async ({ region: given }: { readonly region?: string }) => {
    const region = Region.parse(given ?? world.operations.regions.primary);
    return { ports: portsOf(region), operations: world.operations, clock: world.clock, region };
  };
  const world = cliWorld({ ...settings, host: { principal: async () => 'lab/alice', open, openWhereAnswered: open, ...host } });
  const { clock, operations } = world;
  const store = memoryItemStore(clock);
  const primary = operations.regions.primary;

  function portsIn(region: Region) {
    const auditEvents = failable(memoryAuditEvents({ store, region }));
    return memoryPorts({
      ...{ operations, clock, store, auditEvents },
      auditLog: actLog({ auditEvents, clock, region }),
      auditHead: memoryAuditHead({ store, region }),
      auditObjects: failable(memoryAuditObjects({ region, clock, keptDays: 1, versions })),
      auditQueue: memoryAuditQueue({ store, region }),
      checkpointSigner: memoryCheckpointSigner({ region, secret: Buffer.from('memory') }),
    });
  }

  return {
    ...world,
    ...{ versions, ports: portsOf(primary), portsOf, region: primary },
    async record(given: GivenEvent = {}, region: Region = primary) {
      const event = aRecordedEvent(region, given);
      await portsOf(region).auditEvents.record(event);
      return event;
    },
    async sequence(region: Region = primary) {
      while ((await sequenceOnce({ ...portsOf(region), operations, region, clock })).did === 'integrated');
    },
    async keyOf(region: Region = primary) {
      return verifierKey(auditLogOrigin(operations, region, 1), await portsOf(region).checkpointSigner.publicKey(region, 1));
    },
    /** What Codeblue did, newest first: `audit.read outcome success`. */
    acts: async () =>
      (await portsOf(primary).auditLog.recent(new Date(0), 200)).map(({ action, phase, outcome }) => `${action} ${phase} ${outcome}`),
  };
}
