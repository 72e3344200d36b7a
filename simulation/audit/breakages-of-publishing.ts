import type { AuditBreakage } from './audit-breakages.ts';

export const breakagesOfPublishing: readonly AuditBreakage[] = [
  {
    name: 'published-before-its-objects',
    says: 'The checkpoint is published first, and what it promises is written afterwards.',
    flaws: {
      ports: (ports) => {
        const { auditObjects } = ports;
        let unwritten: (() => Promise<void>)[] = [];
        return {
          ...ports,
          auditObjects: {
            ...auditObjects,
            create: async (...object) => {
              unwritten.push(() => auditObjects.create(...object));
            },
            publishCheckpoint: async (...checkpoint) => {
              const stands = await auditObjects.publishCheckpoint(...checkpoint);
              for (const write of unwritten) await write();
              unwritten = [];
              return stands;
            },
          },
        };
      },
    },
  },
  {
    name: 'published-over-whatever-stands',
    says: 'A checkpoint is put over the one that stands there, whichever was read.',
    flaws: {
      ports: (ports, { store, call }) => ({
        ...ports,
        auditObjects: {
          ...ports.auditObjects,
          publishCheckpoint: (path, note) => call('objects.publish', () => store.replaceCheckpoint(path, note, store.objects.get(path))),
        },
      }),
    },
  },
  {
    name: 'publication-not-awaited',
    says: 'The checkpoint counts as published when its request is on its way.',
    flaws: {
      ports: (ports) => ({
        ...ports,
        auditObjects: {
          ...ports.auditObjects,
          publishCheckpoint: async (...checkpoint) => {
            ports.auditObjects.publishCheckpoint(...checkpoint).catch(() => {});
            return true;
          },
        },
      }),
    },
  },
  {
    name: 'objects-not-awaited',
    says: 'An object counts as stored when its request is on its way.',
    flaws: {
      ports: (ports) => ({
        ...ports,
        auditObjects: {
          ...ports.auditObjects,
          create: async (...object) => {
            ports.auditObjects.create(...object).catch(() => {});
          },
        },
      }),
    },
  },
  {
    name: 'cosignatures-dropped',
    says: 'A checkpoint is published as it was signed, without what its witness added.',
    flaws: {
      ports: (ports) => ({
        ...ports,
        auditObjects: {
          ...ports.auditObjects,
          publishCheckpoint: (path, note, previous) => {
            const [text, lines = ''] = Buffer.from(note).toString().split('\n\n');
            return ports.auditObjects.publishCheckpoint(path, Buffer.from(`${text}\n\n${lines.split('\n')[0]}\n`), previous);
          },
        },
      }),
    },
  },
  {
    name: 'consistency-not-proven',
    says: 'The witness is asked to cosign with a proof that lacks a hash.',
    flaws: {
      ports: (ports) => ({
        ...ports,
        witnesses: {
          addCheckpoint: (url, body) => {
            const [old = '', ...proof] = body.split('\n\n')[0]?.split('\n') ?? [];
            return ports.witnesses.addCheckpoint(
              url,
              body.replace(`${[old, ...proof].join('\n')}\n\n`, `${[old, ...proof.slice(1)].join('\n')}\n\n`),
            );
          },
        },
      }),
    },
  },
];
