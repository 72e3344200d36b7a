import type { IncidentId } from '../models.ts';

/** What is kept of an incident lies below this, in the evidence bucket of its home. */
export const evidenceKey = ({ id }: { readonly id: IncidentId }, name: string): string => `incidents/${id}/${name}`;
