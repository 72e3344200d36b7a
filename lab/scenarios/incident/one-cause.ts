import { press } from './press.ts';
import { type IncidentStage, incidentAbout, resolution } from './stage.ts';

/** From an alarm that rings to a page about it, were there one. */
const settleMs = 3_000;

/** The database stops, and every service that lives on it: one page. */
export async function oneCause(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.primary;
  const services = world.lab.operations.failover.services.map(({ name }) => name);
  await phases.run('Stop PostgreSQL under every service', async (say) => {
    const told = world.mailbox.all.length;
    const { server, port } = world.regions.use(region);
    await server.stop();
    for (const name of services) world.broken.add(`${region}/${name}`);
    const incident = await incidentAbout(stage, { alarm: 'DatabaseDown', subject: 'hospital', region }, 60);
    const page = await world.delivery('about the database', 15, ({ incidentId }) => incidentId === incident.id);
    say(`${page.subject}: ${page.person} is told`);
    await press(page.acknowledgeUrl ?? '');
    const ringing = await world.until('the alarms of all services ring', 60, () => {
      const all = world.monitor(region).cloudWatch.ringing.filter(({ alarm }) => alarm === 'ServiceDown');
      return all.length === services.length ? all : undefined;
    });
    await world.lab.clock.sleep(settleMs);
    const pages = world.mailbox.all.slice(told).filter((each) => each.region === region && each.kind === 'incident' && each.severity === 1);
    const tellings = new Set(pages.map(({ incidentId }) => incidentId)).size;
    const down = ringing.length;
    findings.promise(
      'I1.cause',
      'A cause that takes everything with it is told once: its consequences ring, and page nobody.',
      tellings === 1 && down === services.length,
      `${down} of ${services.length} services down beside the database; ${tellings} incident told to ${pages.map(({ person }) => person).join(', ')}`,
    );
    if (port !== undefined) await server.start(port);
    for (const name of services) world.broken.delete(`${region}/${name}`);
    await resolution(stage, incident, 60);
  });
}
