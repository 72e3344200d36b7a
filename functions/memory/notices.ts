import type { Notices } from '../failover/ports.ts';
import { type Failable, failable } from './failable.ts';

export type Notice = Parameters<Notices['publish']>[0];

export interface MemoryNotices extends Notices, Failable<Notices> {
  /** Everything that was published, in order. */
  readonly published: readonly Notice[];
}

export function memoryNotices(): MemoryNotices {
  const published: Notice[] = [];
  const port = failable<Notices>({
    async publish(notice) {
      published.push(notice);
    },
  });
  return Object.assign(port, { published });
}
