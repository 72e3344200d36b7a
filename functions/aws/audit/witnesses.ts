import type { Witnesses } from '../../audit/ports.ts';
import { messageOf, ServiceUnavailable } from '../../common/errors.ts';

const TIMEOUT_MILLISECONDS = 10_000;

/** An answer is some lines: a witness that sends more is not listened to. */
const LONGEST_ANSWER_BYTES = 65_536;

/** HTTP to the witnesses that the config names; no redirect is followed, so nobody else is asked. */
export function witnessesPort({ timeoutMilliseconds = TIMEOUT_MILLISECONDS } = {}): Witnesses {
  return {
    async addCheckpoint(url, body) {
      const address = `${url.replace(/\/+$/, '')}/add-checkpoint`;
      try {
        const response = await fetch(address, {
          method: 'POST',
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          body,
          redirect: 'manual',
          signal: AbortSignal.timeout(timeoutMilliseconds),
        });
        return { status: response.status, contentType: response.headers.get('content-type') ?? '', body: await shortText(response) };
      } catch (cause) {
        throw new ServiceUnavailable(`the witness at ${url} does not answer: ${messageOf(cause)}`, { cause });
      }
    },
  };
}

async function shortText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > LONGEST_ANSWER_BYTES) throw new ServiceUnavailable(`its answer has more than ${LONGEST_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
