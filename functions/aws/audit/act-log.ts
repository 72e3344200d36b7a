import { actLog } from '../../audit/events/act-log.ts';
import type { AuditLog } from '../../audit/ports.ts';
import type { AwsSettings } from '../settings.ts';
import { auditEventsPort } from './events.ts';

/** Codeblue's own acts: recorded like every event, in the Region that this process runs in. */
export const auditLogPort = (settings: AwsSettings): AuditLog =>
  actLog({ auditEvents: auditEventsPort(settings), clock: settings.clock, region: settings.region });
