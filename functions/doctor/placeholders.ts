import type { Operations } from '../common/operations.ts';
import { type Finding, problem } from './finding.ts';

/** Accounts that AWS's documentation and our examples use. */
const exampleAccounts = ['111122223333', '123456789012', '444455556666', '000000000000'];

/** Domains that nobody can have: RFC 2606 and RFC 6761. */
const isExampleMail = (email: string) => /(^|[@.])(example\.(com|net|org)|[a-z0-9-]+\.(example|invalid|test|localhost))$/i.test(email);

const isExampleArn = (arn: string | undefined) =>
  arn !== undefined && (/-AbCdEf$/.test(arn) || /:key\/0{8}-/.test(arn) || exampleAccounts.some((account) => arn.includes(`:${account}:`)));

const isExampleId = (id: string) => /-0{8,}[0-9a-f]*$/.test(id) || /-0?123456789/.test(id);

/** Values of an example that were never replaced: with them nothing can be deployed, and nobody is paged. */
export function placeholderFindings(operations: Operations): readonly Finding[] {
  const found: Finding[] = [];
  const add = (subject: string, value: string, mend: string) =>
    found.push(problem(subject, `${value} is a placeholder of the examples`, mend));

  if (exampleAccounts.includes(operations.account))
    add('account', operations.account, 'Write the number of your AWS account: aws sts get-caller-identity prints it.');
  for (const [index, database] of operations.databases.entries()) {
    for (const [region, site] of Object.entries(database.sites)) {
      const path = `databases[${index}].sites['${region}']`;
      for (const key of ['secretArn', 'secretKeyArn', 'storageKeyArn'] as const) {
        const arn = site[key];
        if (arn !== undefined && isExampleArn(arn)) add(`${path}.${key}`, arn, `Write the ARN of your own in ${region}.`);
      }
      const { vpcId, subnetIds, securityGroupId } = site.network;
      const ids = [vpcId, ...subnetIds, securityGroupId].filter(isExampleId);
      if (ids.length > 0) add(`${path}.network`, ids.join(', '), `Write the ids of the network that ${site.identifier} lives in.`);
    }
  }
  for (const [role, { email }] of Object.entries(operations.contacts)) {
    if (isExampleMail(email)) add(`contacts.${role}.email`, email, 'Write an address that somebody reads: alarms are sent there.');
  }
  return found;
}
