import type { ServerResponse } from 'node:http';
import type { HttpRequest, HttpResponse } from '../../functions/common/endpoint.ts';
import { HttpServer } from './http-server.ts';
import type { Delivery, Mailbox } from './mailbox.ts';
import { mailboxDocument, mailboxHeaders } from './mailbox-page.ts';

/** Serves the mailbox at `/`, and its pages as they arrive at `/events`. @throws LabUnavailable when no port can be opened */
export const openMailboxServer = (mailbox: Mailbox): Promise<HttpServer> =>
  HttpServer.open(answer, (path, response) => {
    if (path !== '/events') return false;
    follow(mailbox, response);
    return true;
  });

async function answer({ method, path }: HttpRequest): Promise<HttpResponse> {
  if (path !== '/') return { status: 404, headers: {}, body: '' };
  if (method !== 'GET') return { status: 405, headers: { allow: 'GET' }, body: '' };
  return { status: 200, headers: mailboxHeaders, body: mailboxDocument };
}

/** Server-sent events: everything so far, then what comes. */
function follow(mailbox: Mailbox, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const tell = (delivery: Delivery): void => void response.write(`data: ${JSON.stringify(delivery)}\n\n`);
  for (const delivery of mailbox.all) tell(delivery);
  const stop = mailbox.listen(tell);
  response.on('close', stop);
}
