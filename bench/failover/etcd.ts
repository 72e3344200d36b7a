import { join } from 'node:path';
import { z } from 'zod';
import { run, until } from './command.ts';
import type { Site } from './site.ts';

/** Longest that a request to etcd may take. */
const REQUEST_MS = 1_000;

const Id = z.string().regex(/^\d+$/);
const Status = z.object({ header: z.object({ member_id: Id }), leader: Id });

/** One member of etcd in each region, as its manual says, but for `--unsafe-no-fsync`: PostgreSQL does not sync here either. */
export async function startEtcd(program: string, sites: readonly Site[], dir: string): Promise<void> {
  const cluster = sites.map(({ name, peerHost }) => `${name}=http://${peerHost}:2380`).join(',');
  for (const site of sites) {
    const words = ['--name', site.name, '--data-dir', join(dir, site.name, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'];
    const peers = ['--listen-peer-urls', 'http://0.0.0.0:2380', '--initial-advertise-peer-urls', `http://${site.peerHost}:2380`];
    const clients = ['--listen-client-urls', 'http://0.0.0.0:2379', '--advertise-client-urls', `http://${site.peerHost}:2379`];
    site.start(program, [...words, ...peers, ...clients, '--initial-cluster', cluster], join(dir, site.name, 'etcd.log'));
  }
  await until('the first leader of etcd', async () => ((await statuses(sites)).every(({ leader }) => leader !== '0') ? true : undefined));
}

/** Moves etcd's leadership into that region, or out of it: losing its leader costs etcd an election and gives every lease its full time again. */
export async function placeEtcdLeader(sites: readonly Site[], at: Site): Promise<void> {
  await until(`etcd's leadership in ${at.name}`, async () => {
    const members = await statuses(sites);
    const [wanted, leader] = [members.find(({ site }) => site === at), members.find(({ id, leader }) => id === leader)];
    if (!wanted || !leader) return undefined;
    if (wanted.id === leader.id) return true;
    await ask(leader.site, 'maintenance/transfer-leadership', { targetID: wanted.id }).catch(() => {});
    return undefined;
  });
}

export async function putEtcd(site: Site, key: string, value: string): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  await ask(site, 'kv/put', { key: base64(key), value: base64(value) });
}

export const etcdVersion = async (program: string): Promise<string> =>
  /etcd Version: (\S+)/.exec(await run(program, ['--version']))?.[1] ?? '?';

async function statuses(sites: readonly Site[]) {
  return Promise.all(
    sites.map(async (site) => {
      const { header, leader } = await ask(site, 'maintenance/status', {}).then(
        (answer) => Status.parse(answer),
        () => ({ header: { member_id: '0' }, leader: '0' }),
      );
      return { site, id: header.member_id, leader };
    }),
  );
}

async function ask(site: Site, method: string, body: unknown): Promise<unknown> {
  const response = await fetch(`http://${site.clientHost}:2379/v3/${method}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  if (!response.ok) throw new Error(`etcd answered ${response.status} to ${method}`);
  return response.json();
}
