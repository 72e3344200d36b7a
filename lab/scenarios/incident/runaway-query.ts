import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { pgServer } from '../../../functions/common/pg-server.ts';
import { HOSPITAL_DATABASE } from '../../hospital/generate.ts';
import { longQuery } from '../../incident/policy.ts';
import { maxConnections } from '../../postgres/config.ts';
import { press } from './press.ts';
import { type IncidentStage, incidentAbout, resolution } from './stage.ts';

/** Past the alarm's 80 % of all connections, everybody's counted. */
const wanted = Math.ceil(0.8 * maxConnections) + 2;
/** Keeps a backend at work for as long as anybody may wait here. */
const runaway = 'SELECT pg_sleep(600)';

/** Queries that never end fill the server; the automated runbook ends them. */
export async function runawayQuery(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.primary;
  await phases.run('Queries that never end fill PostgreSQL', async (say) => {
    const clients = await connectAll(stage);
    try {
      const ends = clients.map((client) =>
        client.query(runaway).then(
          () => 'came to its end',
          (error: unknown) => (error instanceof pg.DatabaseError ? (error.code ?? 'unknown') : 'connection lost'),
        ),
      );
      const began = performance.now();
      const incident = await incidentAbout(stage, { alarm: 'ConnectionsHigh', subject: 'hospital', region }, 60);
      say('ConnectionsHigh rings; the runbook may begin');
      const page = world.mailbox.all.find(({ incidentId }) => incidentId === incident.id);
      if (page?.acknowledgeUrl) await press(page.acknowledgeUrl);
      const codes = await world.until('every runaway query is ended', 90, async () => {
        return Promise.race([Promise.all(ends), wait(50, undefined)]);
      });
      const tookSeconds = (performance.now() - began) / 1000;
      const over = await resolution(stage, incident, 60);
      const timeline = await world.lab.ports(region).incidents.timeline(incident.id);
      const told = timeline.filter(({ kind }) => kind === 'runbook');
      // 57P01, admin_shutdown: what PostgreSQL tells a session that pg_terminate_backend ended.
      const ended = codes.filter((code) => code === '57P01').length;
      findings.measure('runbookSeconds', tookSeconds);
      findings.promise(
        'I6',
        'An automated runbook ends runaway queries, nothing else, and sees that it helped.',
        ended === clients.length && told.length > 0 && over.status === 'resolved',
        `${ended} of ${clients.length} sessions ended by PostgreSQL (older than ${longQuery} s) after ${tookSeconds.toFixed(1)} s; ${told.at(-1)?.says ?? 'nothing in the timeline'}`,
      );
    } finally {
      await Promise.all(clients.map((client) => client.end().catch(() => {})));
    }
  });
}

/** As the application, until the server is as full as the alarm allows: counted as the superuser, since the application does not see what others' sessions are. */
async function connectAll({ world }: IncidentStage): Promise<readonly pg.Client[]> {
  const { primary } = world.regions;
  const { host, port, user, password } = world.regions.address(primary, 'application');
  const counter = await pgServer(world.regions.address(primary, 'admin')).connect('postgres');
  const clients: pg.Client[] = [];
  try {
    for (let open = 0; open < wanted; ) {
      const client = new pg.Client({ host, port, user, password, database: HOSPITAL_DATABASE, application_name: 'report-builder' });
      client.on('error', () => {}); // told by the query that is ended
      await client.connect();
      clients.push(client);
      const [row] = await counter.query(`SELECT count(*) AS open FROM pg_stat_activity WHERE backend_type = 'client backend'`);
      open = Number(row?.open);
    }
    return clients;
  } finally {
    await counter.close();
  }
}
