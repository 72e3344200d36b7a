import './without-jit.ts';
import { coordinationPort } from '../aws/coordination.ts';
import { settingsFromEnvironment } from '../aws/settings.ts';
import { leaseEndpoint } from '../failover/lease/lease-endpoint.ts';

/**
 * The function behind a Region's lease endpoint: an address that anybody may ask and that answers with a status and nothing else. It is no
 * operation: it records nothing, because it is asked several times a second for ever.
 */
const settings = settingsFromEnvironment(process.env);
const status = leaseEndpoint({ ...settings, coordination: coordinationPort(settings) });

export const handler = async (): Promise<{ readonly statusCode: 200 | 503 }> => ({ statusCode: await status() });
