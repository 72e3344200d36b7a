import { createHash, createHmac } from 'node:crypto';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/** Credentials, or how to get them; asked before every attempt. */
export type CredentialsSource = Credentials | (() => Promise<Credentials>);

export interface SignedPost {
  readonly url: URL;
  /** Of the signature's scope: `lambda` for a function URL, `events` for EventBridge. */
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly body: string;
}

/** What the signer hashes with. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', typeof secret === 'string' ? secret : bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}

const bytesOf = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);

/**
 * Posts with AWS Signature Version 4, signed anew each time.
 *
 * @returns whatever was answered. @throws when nothing was: no connection, no answer within the time limit, no credentials
 */
export function signedPoster({
  region,
  credentials = defaultProvider(),
  timeoutMilliseconds,
}: {
  readonly region: string;
  readonly credentials?: CredentialsSource | undefined;
  readonly timeoutMilliseconds: number;
}): (post: SignedPost) => Promise<Answer> {
  return async ({ url, service, headers, body }) => {
    const signer = new SignatureV4({ region, service, credentials, sha256: Sha256 });
    const signed = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, ...headers },
      body,
    });
    const { host: _, ...sent } = signed.headers; // fetch writes it itself, from the same URL
    const response = await fetch(url, {
      method: 'POST',
      headers: sent,
      body,
      signal: AbortSignal.timeout(timeoutMilliseconds),
      redirect: 'error',
    });
    const after = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { status: response.status, retryAfterSeconds: Number.isFinite(after) ? after : undefined, body: await response.text() };
  };
}
