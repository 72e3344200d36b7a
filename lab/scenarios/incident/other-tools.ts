import { Agent } from 'node:https';
import { connect } from 'node:net';
import { resolve, trigger } from '@pagerduty/pdjs';
import { keys } from '../../incident/policy.ts';
import { type IncidentStage, resolution } from './stage.ts';

/** An invented person, in the words that other tools would bring into a page. */
const inventedPatient = 'Jane Roe, MRN 00412345';

/** PagerDuty's own client and Alertmanager's body, over real HTTP, to the doors that are deployed. */
export async function otherTools(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.primary;
  const { url, port } = world.door(region, 'signals-endpoint');
  await phases.run('Post with PagerDuty’s client, and as Alertmanager does', async (say) => {
    const told = world.mailbox.all.length;
    const payload = {
      summary: `Label printer is down for ${inventedPatient}`,
      source: 'printer-7',
      severity: 'error',
      component: 'api',
    } as const;
    const event = { routing_key: keys.pagerduty, dedup_key: 'lab-printer' } as const;
    const options = { server: 'codeblue.lab.invalid', agent: new LocalAgent(port) };
    const { status: taken } = await trigger({ ...options, data: { ...event, event_action: 'trigger', payload } });
    const alert = (status: 'firing' | 'resolved') =>
      fetch(`${url}/alertmanager`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys.alertmanager}`, 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify(alertmanagerBody(status)),
      });
    const webhook = await alert('firing');
    const refused = await fetch(`${url}/alertmanager`, {
      method: 'POST',
      headers: { authorization: 'Bearer guessed', connection: 'close' },
      body: '{}',
    });
    const foreign = await world.until('both are incidents', 20, async () => {
      const found = (await world.incidents()).filter(({ troubles }) =>
        troubles.some(({ alarm }) => ['PagerDutyEvent', 'AlertmanagerAlert'].includes(alarm)),
      );
      return found.length >= 2 ? found : undefined;
    });
    await world.delivery('from PagerDuty’s client', 15, ({ incidentId }) => foreign.some(({ id }) => id === incidentId));
    await resolve({ ...options, data: { ...event, event_action: 'resolve', payload } });
    await alert('resolved');
    for (const incident of foreign) await resolution(stage, incident, 20);
    const said = world.mailbox.all.map(({ subject, body }) => `${subject}\n${body}`).join('\n');
    say(`PagerDuty’s client: ${taken}; Alertmanager: ${webhook.status}; a guessed key: ${refused.status}`);
    findings.promise(
      'I2.doors',
      'PagerDuty’s own client and Alertmanager’s webhook work unchanged; a guessed key opens nothing.',
      taken === 202 && webhook.status === 200 && refused.status === 401 && foreign.length === 2,
      `client ${taken}, webhook ${webhook.status}, guessed key ${refused.status}; ${foreign.length} incidents opened and resolved`,
    );
    findings.promise(
      'I8',
      'What other tools write never reaches a page: no patient’s name is in any.',
      !['Jane', 'Roe', '00412345'].some((word) => said.includes(word)) && world.mailbox.all.length > told,
      `${world.mailbox.all.length} pages read, none with a word of the alerts’ own text`,
    );
  });
}

/** The client speaks HTTPS to whatever server it is told; this takes it to a port of this machine without TLS. Nothing of the client is changed. */
class LocalAgent extends Agent {
  readonly #port: number;

  constructor(port: number) {
    super();
    this.#port = port;
  }

  override createConnection() {
    return connect(this.#port, '127.0.0.1');
  }
}

/** The fields of the webhook's version 4. */
const alertmanagerBody = (status: 'firing' | 'resolved') => ({
  version: '4',
  groupKey: '{}:{alertname="QueueStuck"}',
  truncatedAlerts: 0,
  status,
  receiver: 'codeblue',
  groupLabels: { alertname: 'QueueStuck' },
  commonLabels: { alertname: 'QueueStuck', severity: 'warning' },
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example.org',
  alerts: [
    {
      status,
      labels: { alertname: 'QueueStuck', service: 'records', severity: 'warning' },
      annotations: { summary: `HL7 queue is stuck at ${inventedPatient}` },
      startsAt: '2026-11-21T07:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example.org/graph',
      fingerprint: 'b1946ac92492d234',
    },
  ],
});
