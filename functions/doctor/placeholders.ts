import type { Operations } from '../common/operations.ts';
import { type Finding, problem } from './finding.ts';

/** Accounts that AWS's documentation and our examples use. */
const exampleAccounts = ['111122223333', '123456789012', '444455556666', '000000000000'];

/** Domains that nobody can have: RFC 2606 and RFC 6761. */
const isExampleHost = (host: string) => /(^|[@.])(example\.(com|net|org)|[a-z0-9-]+\.(example|invalid|test|localhost))$/i.test(host);

const isExampleArn = (arn: string | undefined) =>
  arn !== undefined && (/-AbCdEf$/.test(arn) || /:key\/0{8}-/.test(arn) || exampleAccounts.some((account) => arn.includes(`:${account}:`)));

const isExampleId = (id: string) => /-0{8,}[0-9a-f]*$/.test(id) || /-0?123456789/.test(id);

/** Values of an example that were never replaced: with them nothing can be deployed, and nobody is paged. */
export function placeholderFindings(operations: Operations): readonly Finding[] {
  const found: Finding[] = [];
  const add = (subject: string, values: readonly string[], mend: string) =>
    found.push(problem(subject, `still as in the example: ${values.join(', ')}`, mend));

  if (exampleAccounts.includes(operations.account))
    add('account', [operations.account], 'Write the number of your AWS account: aws sts get-caller-identity prints it.');
  for (const [index, database] of operations.databases.entries()) {
    for (const [region, site] of Object.entries(database.sites)) {
      const { vpcId, subnetIds, securityGroupId } = site.network;
      const left = [
        ...(['secretArn', 'secretKeyArn', 'storageKeyArn'] as const).filter((key) => isExampleArn(site[key])),
        ...([vpcId, ...subnetIds, securityGroupId].some(isExampleId) ? ['network'] : []),
      ];
      const mend = `Write the ones of ${site.identifier} in ${region}; aws rds describe-db-instances shows its network and key.`;
      if (left.length > 0) add(`databases[${index}].sites['${region}']`, left, mend);
    }
  }
  const { approvals, services, routing } = operations.failover;
  const principals = approvals.by.filter(isExampleArn);
  if (principals.length > 0) add('failover.approvals.by', principals, 'Write the roles or users who may approve: two people at least.');
  const addresses = services.filter(({ health }) => Object.values(health).some((url) => isExampleHost(new URL(url).hostname)));
  if (addresses.length > 0) {
    add(
      'failover.services',
      addresses.map(({ name }) => name),
      'Write the health endpoint of each service in each Region, or take the service out.',
    );
  }
  if (routing.dns && isExampleHost(routing.dns.recordName)) {
    add('failover.routing.dns', [routing.dns.recordName], 'Write your hosted zone, record and load balancers, or take routing.dns out.');
  }
  const balancers = operations.incidents.monitored.filter(({ loadBalancer }) =>
    Object.values(loadBalancer ?? {}).some(({ name, targetGroup }) => [name, targetGroup].some((end) => /\/0{16}$/.test(end))),
  );
  if (balancers.length > 0) {
    add(
      'incidents.monitored',
      balancers.map(({ id }) => id),
      'Write the end of the ARN of its load balancer and of its target group: aws elbv2 describe-load-balancers prints them.',
    );
  }
  const contacts = Object.entries(operations.contacts).flatMap(([role, { email }]) => (isExampleHost(email) ? [`${role} (${email})`] : []));
  if (contacts.length > 0) add('contacts', contacts, 'Write addresses that somebody reads: alarms are sent there.');
  return found;
}
