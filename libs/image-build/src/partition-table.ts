/** The partition table as sfdisk(8) reads it. Pure. */
import { MIB, SECTOR, type DiskPlan, type PlannedPartition } from './disk-plan.ts';

/** GPT types by role and by file system; the rest is Linux data. */
const GPT_TYPES: Readonly<Record<string, string>> = {
  esp: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  'bios-boot': '21686148-6449-6e6f-744e-656564454649',
  'linux-swap': '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f',
};
const GPT_LINUX = '0fc63daf-8483-4772-8e79-3d69d8477de4';

/** Types of an MBR, in hexadecimal. */
const MBR_TYPES: Readonly<Record<string, string>> = {
  esp: 'ef',
  'bios-boot': 'da',
  'linux-swap': '82',
  fat16: '0e',
  fat32: '0c',
  vfat: '0c',
};
const [MBR_LINUX, MBR_EXTENDED] = ['83', '05'];
/** Number of the extended partition; logical ones follow. */
const EXTENDED = 4;

export function partitionTable(plan: DiskPlan): string {
  const head = [
    `label: ${plan.table === 'gpt' ? 'gpt' : 'dos'}`,
    `label-id: ${plan.table === 'gpt' ? plan.id : `0x${plan.id}`}`,
    'unit: sectors',
  ];
  return [...head, '', ...(plan.table === 'gpt' ? plan.partitions.map(gptLine) : mbrLines(plan)), ''].join('\n');
}

function gptLine({ definition, number, startBytes, sizeBytes, partUuid }: PlannedPartition): string {
  const { role, fileSystem = '', type, name } = definition;
  const guid = type ?? GPT_TYPES[role ?? fileSystem] ?? GPT_LINUX;
  // sfdisk ends a text at the next quotation mark and knows characters by their number.
  const quoted = name.replaceAll(/["\\]/g, (mark) => `\\x${mark.charCodeAt(0).toString(16)}`);
  const label = name === '' ? '' : `, name="${quoted}"`;
  return `${number}: ${extent(startBytes, sizeBytes)}, type=${guid}, uuid=${partUuid}${label}`;
}

function mbrLine({ definition, number, startBytes, sizeBytes }: PlannedPartition): string {
  const { role, fileSystem = '', isActive } = definition;
  const type = MBR_TYPES[role ?? fileSystem] ?? MBR_LINUX;
  return `${number}: ${extent(startBytes, sizeBytes)}, type=${type}${isActive ? ', bootable' : ''}`;
}

/** An extended one comes before the logical ones that lie in it. */
function mbrLines({ sizeBytes, partitions }: DiskPlan): string[] {
  const isLogical = ({ number }: PlannedPartition) => number > EXTENDED;
  const [primary, logical] = [partitions.filter((one) => !isLogical(one)), partitions.filter(isLogical)];
  if (logical.length === 0) return primary.map(mbrLine);
  const start = Math.min(...logical.map(({ definition }) => definition.startMiB)) * MIB;
  const extended = `${EXTENDED}: ${extent(start, sizeBytes - start)}, type=${MBR_EXTENDED}`;
  return [...primary.map(mbrLine), extended, ...logical.map(mbrLine)];
}

function extent(startBytes: number, sizeBytes: number): string {
  return `start=${startBytes / SECTOR}, size=${sizeBytes / SECTOR}`;
}
