import type { DatabaseId, Region, VerificationId } from '../common/ids.ts';
import type { SignedProof } from './proof.ts';

/** A value as PostgreSQL sends it in text form; null is SQL null. */
export type SqlRow = Readonly<Record<string, string | null>>;

/** One session. All values come back as text, exactly as PostgreSQL prints them: nothing is rounded on the way. */
export interface SqlSession {
  query(text: string, values?: readonly (string | number | null | readonly string[])[]): Promise<readonly SqlRow[]>;
  close(): Promise<void>;
}

/** A PostgreSQL server that sessions can be opened on. */
export interface SqlServer {
  /** @throws ServiceUnavailable when the server refuses or does not answer within 15 s */
  connect(databaseName: string): Promise<SqlSession>;
}

export interface SqlServers {
  /** The live database, with the read-mostly role that the config names. */
  live(databaseId: DatabaseId, region: Region): Promise<SqlServer>;
  /** A restored one, with the credentials that were made for it alone. */
  restored(ref: { readonly databaseId: DatabaseId; readonly region: Region; readonly restoredId: string }): Promise<SqlServer>;
}

/** Signs with a key that never leaves its store. Ed25519 over the exact bytes. */
export interface Signer {
  /** At most 4096 bytes, the limit of KMS for a raw message. @throws InvalidInput when there are more */
  sign(bytes: Uint8Array): Promise<{ readonly keyId: string; readonly signature: Uint8Array }>;
  /** SPKI PEM, for anybody who wants to verify offline. */
  publicKey(): Promise<string>;
}

export interface Proofs {
  /** Immutable; storing the same again is no error. */
  put(proof: SignedProof): Promise<void>;
  get(verificationId: VerificationId): Promise<SignedProof | undefined>;
  /** Newest first. */
  list(databaseId: DatabaseId, limit: number): Promise<readonly SignedProof[]>;
}
