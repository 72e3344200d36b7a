import type { EventBody } from '../events/event.ts';
import { type BasicPattern, type Coding, dicom, participant, participation } from './fhir-codes.ts';
import { absent, type FhirAgent, fhirText, identified } from './fhir-types.ts';

const from = dicom('110153', 'Source Role ID');
const to = dicom('110152', 'Destination Role ID');
const recipient = participation('IRCP', 'information recipient');
const author = participation('AUT', 'author (originator)');

/** Which way the data goes decides who is source and who is destination; a query is told by the way of its question, as DICOM and IHE do. */
const roles: Record<BasicPattern, { readonly client: Coding; readonly server: Coding; readonly user: Coding }> = {
  Create: { client: from, server: to, user: author },
  Update: { client: from, server: to, user: author },
  Delete: { client: dicom('110150', 'Application'), server: participant('custodian', 'Custodian'), user: author },
  Read: { client: to, server: from, user: recipient },
  Query: { client: from, server: to, user: recipient },
};

/**
 * Who took part: the user, the program before the user, and the application that told the event. The patterns want an address of both programs: of the first it is
 * the event's `ipAddress`, where the application told one, of the second its name.
 */
export function agentsOf(body: EventBody, pattern: BasicPattern | undefined): readonly FhirAgent[] {
  const { client, server, user } = roles[pattern ?? 'Create'];
  const { userId, userAgent, ipAddress, service } = body;
  return [
    { ...typed(pattern === undefined ? undefined : user), who: identified(userId), requestor: true },
    {
      ...typed(client),
      who: userAgent === undefined ? { ...absent('unknown'), display: 'unknown' } : { display: fhirText(userAgent) },
      requestor: false,
      network: ipAddress === undefined ? absent('unknown') : { address: ipAddress, type: '2' },
    },
    { ...typed(server), who: identified(service), requestor: false, network: { address: service, type: '1' } },
  ];
}

const typed = (coding: Coding | undefined): Pick<FhirAgent, 'type'> => (coding ? { type: { coding: [coding] } } : {});
