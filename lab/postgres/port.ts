import { createServer } from 'node:net';
import { LabUnavailable } from '../errors.ts';

/** A port of the loopback interface that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      reject(
        new LabUnavailable(`no port of 127.0.0.1 can be opened: ${error.message}`, {
          hint: 'The lab needs the loopback interface.',
          cause: error,
        }),
      ),
    );
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new LabUnavailable('no port was given')),
      );
    });
  });
}
