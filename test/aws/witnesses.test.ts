import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { witnessesPort } from '../../functions/aws/audit/witnesses.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';

describe('a witness', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function witness(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the server has no port');
    return `http://127.0.0.1:${address.port}/witness`;
  }

  it('is sent the request as it is, and its answer comes back as it is', async () => {
    const heard: unknown[] = [];
    const url = await witness(async (request, response) => {
      heard.push([request.method, request.url, Buffer.concat(await request.toArray()).toString()]);
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('17\n');
    });
    const answer = await witnessesPort().addCheckpoint(`${url}/`, 'old 3\n\nnote\n');
    expect(answer).toEqual({ status: 409, contentType: 'text/x.tlog.size', body: '17\n' });
    expect(heard).toEqual([['POST', '/witness/add-checkpoint', 'old 3\n\nnote\n']]);
  });

  it('that sends elsewhere is not followed there', async () => {
    const asked: string[] = [];
    const url = await witness((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await witnessesPort().addCheckpoint(url, 'note')).toMatchObject({ status: 307 });
    expect(asked).toEqual(['/witness/add-checkpoint']);
  });

  it.each<[string, RequestListener]>([
    ['hangs up', (request) => request.socket.destroy()],
    ['never answers', () => {}],
    ['answers without end', (_, response) => void response.end('x'.repeat(100_000))],
  ])('that %s does not answer', async (_, answer) => {
    const url = await witness(answer);
    await expect(witnessesPort({ timeoutMilliseconds: 300 }).addCheckpoint(url, 'note')).rejects.toThrow(ServiceUnavailable);
  });
});
