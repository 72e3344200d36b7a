import { KMSClient } from '@aws-sdk/client-kms';
import { clientOptions, perRegion } from './client-options.ts';

export const kmsIn = perRegion((region) => new KMSClient(clientOptions(region)));
