import { createHash } from 'node:crypto';
import { seededRandom } from '../seeded-random.ts';

/** What an application of the invented hospital tells about one act, as JSON has it. */
export interface HospitalEvent {
  readonly eventId: string;
  readonly at: string;
  readonly userId: string;
  readonly action: string;
  readonly resource: string;
  readonly outcome: string;
  readonly service: string;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly purpose: string;
  readonly patientRef: string;
  readonly details: Readonly<Record<string, string>>;
}

const services = ['records', 'orders', 'imaging', 'laboratory', 'pharmacy'] as const;
const actions = ['record.read', 'record.update', 'record.search', 'order.place', 'record.print', 'record.sign'] as const;
const types = ['Observation', 'MedicationRequest', 'ImagingStudy', 'DiagnosticReport', 'Encounter'] as const;
const outcomes = ['success', 'success', 'success', 'success', 'denied', 'failure'] as const;
const purposes = ['TREAT', 'TREAT', 'CAREMGT', 'HPAYMT', 'ETREAT'] as const;
const wards = ['ward-3', 'ward-7', 'icu', 'emergency', 'radiology'] as const;

/** Staff and patients that the events name. */
const STAFF = 120;
const PATIENTS = 900;

/** What an event of a hospital is about long, as JSON: the length that throughput is measured with. */
const EVENT_BYTES = 1024;

/** The n-th event that a seed gives: the same words and the same id for the same seed and number. */
export function hospitalEvent(seed: number, number: number, at: Date): HospitalEvent {
  const random = seededRandom(Math.imul(seed, 2_654_435_761) ^ number);
  const pick = <T>(from: readonly [T, ...T[]]): T => from[Math.floor(random() * from.length)] ?? from[0];
  const count = (below: number): string => String(Math.floor(random() * below)).padStart(6, '0');
  const event = {
    eventId: uuidOf(`${seed} ${number}`),
    at: at.toISOString(),
    userId: `staff-${count(STAFF)}`,
    action: pick(actions),
    resource: `${pick(types)}/${count(50_000)}`,
    outcome: pick(outcomes),
    service: pick(services),
    ipAddress: `10.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}.${Math.floor(random() * 254) + 1}`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    purpose: pick(purposes),
    patientRef: `pat-${count(PATIENTS)}`,
    details: { ward: pick(wards), session: uuidOf(`session ${seed} ${number % 997}`), screen: 'chart/overview', note: '' },
  };
  const missing = EVENT_BYTES - Buffer.byteLength(JSON.stringify(event));
  return { ...event, details: { ...event.details, note: 'x'.repeat(Math.max(0, missing)) } };
}

/** A UUID of version 4 whose random bits are those of the SHA-256 of a text. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** So many events as JSON, a line each, of the last seconds before `now`. */
export const hospitalLines = (seed: number, from: number, count: number, now: Date): readonly string[] =>
  Array.from({ length: count }, (_, index) => JSON.stringify(hospitalEvent(seed, from + index, new Date(now.getTime() - count + index))));
