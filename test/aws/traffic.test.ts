import { createServer } from 'node:http';
import { Route53RecoveryClusterClient, UpdateRoutingControlStatesCommand } from '@aws-sdk/client-route53-recovery-cluster';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { noticesPort } from '../../functions/aws/notices.ts';
import { probesPort } from '../../functions/aws/probes.ts';
import { routingControlsPort } from '../../functions/aws/routing-controls.ts';
import { InvalidInput, NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';
import { FailoverPolicy } from '../../functions/common/failover-policy.ts';
import { Region } from '../../functions/common/ids.ts';
import { testOperations } from '../support/operations.ts';

const home = Region.parse('us-east-1');
const away = Region.parse('us-west-2');
const sdkError = (name: string) => Object.assign(new Error('said AWS'), { name, $metadata: { httpStatusCode: 400 } });

describe('routing controls', () => {
  const arc = mockClient(Route53RecoveryClusterClient);
  const routing = FailoverPolicy.shape.routing.parse({
    arc: {
      clusterEndpoints: ['us-east-1', 'ap-southeast-2', 'eu-west-1', 'us-west-2'].map((region) => ({
        region,
        url: `https://cluster.${region}.example.org/v1`,
      })),
      controls: { [home]: 'arn:aws:route53-recovery-control::1:home', [away]: 'arn:aws:route53-recovery-control::1:away' },
    },
  });
  const { failover } = testOperations();
  const controls = routingControlsPort({ operations: testOperations({ failover: { ...failover, routing } }) });
  const asked = async () => Promise.all(arc.calls().map(({ thisValue }) => thisValue.config.region()));
  beforeEach(() => arc.reset());

  it('turn one Region on and every other off in one call, so that traffic never has two ways', async () => {
    await controls.switchTo(away);
    expect(arc.commandCalls(UpdateRoutingControlStatesCommand).map(({ args }) => args[0].input.UpdateRoutingControlStateEntries)).toEqual([
      [
        { RoutingControlArn: 'arn:aws:route53-recovery-control::1:home', RoutingControlState: 'Off' },
        { RoutingControlArn: 'arn:aws:route53-recovery-control::1:away', RoutingControlState: 'On' },
      ],
    ]);
  });

  it('are switched through any endpoint that answers, and never through one in the Region that is left', async () => {
    arc.on(UpdateRoutingControlStatesCommand).rejectsOnce(sdkError('EndpointTemporarilyUnavailableException')).resolves({});
    await controls.switchTo(away);
    expect(await asked()).toEqual(['ap-southeast-2', 'eu-west-1']);
  });

  it('that no endpoint switches are tried again', async () => {
    arc.on(UpdateRoutingControlStatesCommand).rejects(sdkError('TimeoutError'));
    await expect(controls.switchTo(away)).rejects.toThrow(ServiceUnavailable);
    expect(await asked()).toEqual(['ap-southeast-2', 'eu-west-1', 'us-west-2']);
  });

  it('that a safety rule holds are not tried elsewhere', async () => {
    arc.on(UpdateRoutingControlStatesCommand).rejects(sdkError('ConflictException'));
    await expect(controls.switchTo(away)).rejects.toThrow(InvalidInput);
    expect(await asked()).toEqual(['ap-southeast-2']);
  });

  it('need a control for the Region, and nothing where the config has none at all', async () => {
    await expect(controls.switchTo(Region.parse('eu-west-1'))).rejects.toThrow(NotFound);
    await routingControlsPort({ operations: testOperations() }).switchTo(away);
    expect(arc.calls()).toEqual([]);
  });
});

it('a notice fits the limits of SNS: a short subject in ASCII on one line', async () => {
  const sns = mockClient(SNSClient);
  const subject = `Failover – ${'very '.repeat(40)}long\nsubject`;
  await noticesPort({ operations: testOperations() }).publish({ region: away, severity: 1, subject, text: 'us-east-1 does not answer' });
  const { Subject = '', Message, TopicArn } = sns.commandCalls(PublishCommand)[0]?.args[0].input ?? {};
  expect(Subject).toMatch(/^Codeblue hms: Failover [\x20-\x7e]{1,77}$/);
  expect(Message).toContain('Severity 1');
  expect(TopicArn).toBe('arn:aws:sns:us-west-2:111122223333:hms-codeblue-alarms');
});

describe('a probe', () => {
  const probes = probesPort();
  /** Answers by path: the status in it, or never. */
  async function listening(): Promise<string> {
    const server = createServer((request, response) => {
      const status = Number(request.url?.slice(1));
      if (status > 0) response.writeHead(status, { location: 'http://127.0.0.1:1/elsewhere' }).end('not to be read');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  it.each([
    [200, true],
    [204, true],
    [301, false],
    [503, false],
  ])('of an address that answers %i is well: %s', async (status, ok) => {
    const answer = await probes.http(`${await listening()}/${status}`, 5);
    expect(answer).toEqual({ ok, says: expect.stringMatching(new RegExp(`^${status} in \\d+ ms$`)) });
  });

  it('says how an address does not answer, and never throws', async () => {
    const silent = await listening();
    expect(await probes.http(`${silent}/never`, 0.2)).toEqual({ ok: false, says: 'timeout after 0.2 s' });
    expect(await probes.http('http://127.0.0.1:1/', 5)).toEqual({ ok: false, says: expect.stringMatching(/^(refused|failed: )/) });
    expect((await probes.http('http://no-such-host.invalid/?token=secret', 5)).says).not.toContain('secret');
  });
});
