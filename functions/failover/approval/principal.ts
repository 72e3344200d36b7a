/** Roles of IAM Identity Center. It alone assumes them, and names each session after the person who signed in. */
const identityCenterRole = 'AWSReservedSSO_';

/**
 * Who stands behind a caller, so that nobody is two people: the same for every name that one principal can give itself.
 *
 * A session name is chosen by whoever assumes the role (STS AssumeRole, `RoleSessionName`), so all sessions of a role are the role; only those of
 * IAM Identity Center tell people apart. Paths are left out, because an assumed role's ARN does not have them; IAM names are unique without
 * regard to case (IAM User Guide, "IAM and AWS STS quotas"). What is no ARN (a user name in the lab) is itself.
 *
 * @example principalOf('arn:aws:sts::111122223333:assumed-role/OnCall/alice') === 'arn:aws:iam::111122223333:role/oncall'
 */
export function principalOf(caller: string): string {
  const name = caller.trim();
  const [arn, partition, service, , account, ...rest] = name.split(':');
  if (arn !== 'arn' || rest.length === 0) return name.toLowerCase();
  const [type = '', ...path] = rest.join(':').split('/');
  const identity = (kind: string, id: string | undefined) => `arn:${partition}:iam::${account}:${kind}/${id ?? ''}`.toLowerCase();
  if (service === 'sts' && type === 'assumed-role') {
    const [role, session] = path;
    return role?.startsWith(identityCenterRole) ? identity('role', `${role}/${session}`) : identity('role', role);
  }
  // GetFederationToken: the caller chooses the name, and who it was is not in the ARN.
  if (service === 'sts' && type === 'federated-user') return identity('federated-user', '*');
  if (type === 'role' || type === 'user') return identity(type, path.at(-1));
  return name.toLowerCase();
}

/**
 * Whether a list of principals names the caller. An entry that ends in `*` is a beginning, and is held against the ARN as it came and
 * against the role or user behind it; any other names one principal, whatever its session is called.
 */
export function isListed(caller: string, principals: readonly string[]): boolean {
  const behind = principalOf(caller);
  return principals.some((entry) => {
    if (!entry.endsWith('*')) return entry === caller || principalOf(entry) === behind || isRoleOf(entry, behind);
    const beginning = entry.slice(0, -1);
    return caller.startsWith(beginning) || behind.startsWith(beginning.toLowerCase());
  });
}

/** The role of IAM Identity Center, listed as a role, lists everybody who signs in to it. */
const isRoleOf = (entry: string, principal: string): boolean => principal.startsWith(`${principalOf(entry)}/`);
