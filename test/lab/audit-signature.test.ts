import { afterEach, expect, test } from 'vitest';
import { createAuditClient } from '../../clients/audit-client/log-event.ts';
import { jsonResponse } from '../../functions/common/endpoint.ts';
import { signerOf } from '../../lab/audit/verify-signature.ts';
import { HttpServer } from '../../lab/incident/http-server.ts';

const principal = { arn: 'arn:aws:sts::111122223333:assumed-role/records/one', accessKeyId: 'AKIARECORDS', secretAccessKey: 'secret' };
const event = { userId: 'staff-1', action: 'record.read', resource: 'Observation/1', outcome: 'success', service: 'records' } as const;
let server: HttpServer | undefined;
afterEach(() => server?.kill());

/** What a door sees of a request that the client signed with these credentials for that Region, `later` milliseconds after. */
async function seen({ secret = principal.secretAccessKey, region = 'us-east-1', later = 0, change = (body: string) => body } = {}) {
  const signers: unknown[] = [];
  server = await HttpServer.open(async (request) => {
    const facts = { region: 'us-east-1', service: 'lambda', now: new Date(Date.now() + later), principals: [principal] };
    signers.push(signerOf({ ...request, body: change(request.body) }, facts));
    return jsonResponse(403, {});
  });
  const credentials = { accessKeyId: principal.accessKeyId, secretAccessKey: secret };
  const client = createAuditClient({ url: server.url, region, credentials, attempts: 1 });
  await client.logEvents([event]);
  return signers;
}

test('knows who signed', async () => {
  expect(await seen()).toEqual([principal]);
});

test.each([
  ['with another secret', { secret: 'guessed' }],
  ['for another Region', { region: 'us-west-2' }],
  ['six minutes ago', { later: 360_000 }],
  ['and changed on the way', { change: (body: string) => body.replace('staff-1', 'staff-2') }],
])('takes no request that was signed %s', async (_, how) => {
  expect(await seen(how)).toEqual([undefined]);
});
