import type { LiveDatabase } from '../backup/models.ts';
import { coordinationTableName } from '../common/names.ts';
import type { Database, Operations } from '../common/operations.ts';
import type { AccountReport } from './account-report.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** What the config tells about moving to another Region. */
export function failoverConfigFindings({ failover, databases }: Operations, { forLab }: { readonly forLab: boolean }): readonly Finding[] {
  if (failover.mode === 'off') {
    if (!databases.some(({ replica }) => replica)) return [];
    return [
      warning(
        'failover.mode',
        'is off although a database has a replica in another Region: nothing watches, nothing fences, and nothing moves there',
        "Write 'approve': a human is asked before anything moves.",
      ),
    ];
  }
  const { services, capacity, routing, triggers } = failover;
  const found: Finding[] = [];
  if (services.length === 0 && triggers.criticalServicesUnhealthy !== null) {
    found.push(
      warning(
        'failover.services',
        'names none: the trigger on critical services never fires',
        'List the services with their health addresses.',
      ),
    );
  }
  if (capacity.length === 0) {
    found.push(
      warning(
        'failover.capacity',
        'names nothing: a failover moves the database and leaves the application at its standby strength',
        'List the ECS services and Auto Scaling groups, with their strength in each role.',
      ),
    );
  }
  if (!forLab && !routing.dns && !routing.arc) {
    found.push(
      warning(
        'failover.routing',
        'names neither records nor routing controls: a failover does not move the traffic',
        'Name the record and its targets (dns), or let your own routing ask the lease endpoints that the deployment prints.',
      ),
    );
  }
  if (!forLab && Object.values(failover.evidence.logGroups).every((groups) => groups.length === 0)) {
    found.push(
      warning(
        'failover.evidence.logGroups',
        "names none: of a breach only Codeblue's own logs would be kept as evidence",
        'Name the log groups of the application and of CloudTrail, by Region.',
      ),
    );
  }
  return found.length > 0 ? found : [ok('failover', `mode ${failover.mode}, witness ${failover.witness}`)];
}

/**
 * Who leads a database that has a replica, by what the account shows: the Regions take turns, so the one that is writable is right wherever it
 * is. Undefined when the account did not tell about both.
 */
export function leadFindings(
  database: Database,
  told: readonly { readonly subject: string; readonly region: string; readonly live: LiveDatabase }[],
): readonly Finding[] {
  const writable = told.filter(({ live }) => live.replicaOf === undefined);
  const [leader] = writable;
  if (writable.length > 1) {
    const where = writable.map(({ subject }) => subject).join(' and ');
    return [
      problem(
        database.id,
        `${where} are both writable: neither follows the other`,
        'If a failover was not followed by a failback yet, run it (codeblue failover back). If nothing ever failed over, create the replica.',
      ),
    ];
  }
  if (!leader) {
    return [problem(database.id, 'none of its sites is writable', 'Look for its primary: the config may name the wrong identifiers.')];
  }
  const standing = told.map(({ subject, live }) => ok(subject, live.replicaOf ? `is a replica of ${live.replicaOf}` : 'is the primary'));
  if (leader.live.replicas.length > 0) return standing;
  const others = told.filter(({ region }) => region !== leader.region).map(({ region }) => region);
  const says = `has no replica; the config names one in ${others.join(', ')}`;
  return [problem(leader.subject, says, 'Create the cross-Region read replica: without it nothing can take over.')];
}

/** Whether the table of who leads is the kind of table that survives the loss of any one Region. */
export function coordinationFindings(operations: Operations, tables: AccountReport['tables']): readonly Finding[] {
  if (operations.failover.mode === 'off') return [];
  const name = coordinationTableName(operations);
  const { witness } = operations.failover;
  return tables.flatMap((table) => {
    if (table.name !== name || table.asked.is !== 'found') return [];
    const subject = `table ${name} in ${table.region}`;
    const found = table.asked.value.witness;
    if (found === witness) return [ok(subject, `has its witness in ${witness}`)];
    const says =
      found === undefined ? 'has no witness: it is not strongly consistent over Regions' : `has its witness in ${found}, not in ${witness}`;
    return [problem(subject, says, 'The mode of a table cannot be changed: remove it while nothing is moving, and deploy again.')];
  });
}
