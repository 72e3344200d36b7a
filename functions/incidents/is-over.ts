import type { Incident, Page } from './models.ts';

/** Nothing more happens to it, unless it is reopened: it was resolved, or goes on as another one. */
export const isOver = ({ status }: Pick<Incident, 'status'>): boolean => status === 'resolved' || status === 'merged';

/** Nobody sends it any more. */
export const isSettled = ({ status }: Pick<Page, 'status'>): boolean =>
  status === 'accepted' || status === 'failed' || status === 'not-needed';
