/** The boot test of a disk: starts it in a virtual machine, logs in on the serial console, asks, powers it off. */
import type { Host } from '@kiln/host';
import type { BuiltArtifactType, ImageArtifact, ImageDefinition } from '@kiln/image-config';
import { failureOfChecks, type BootReport } from './boot-report.ts';
import type { ImageCheck } from './image-checks.ts';
import { DISK_FORMATS } from './disk-formats.ts';
import { checkGuest, parseAnswers } from './guest-checks.ts';
import {
  ANSWER_SECONDS,
  BOOT_SECONDS,
  lastLines,
  questionSteps,
  ROOT_CREDENTIALS,
  runMachine,
  talkOnceMore,
  type TestedImage,
} from './guest-session.ts';
import { withWorkDirectories, type ImagePorts } from './image-ports.ts';
import { parseOsRelease } from './os-release.ts';
import { protectedDisks } from './protected-disk.ts';
import type { BootSource, ConsoleStep } from './virtual-machine.ts';

export interface DiskBootRequest {
  readonly definition: ImageDefinition;
  /** The artifacts that `bootArtifacts` names, each with its file. */
  readonly files: ReadonlyMap<ImageArtifact, string>;
  readonly rpms: readonly { readonly nevra: string }[];
  readonly log?: string;
}

const STEPS: readonly ConsoleStep[] = [
  { expect: 'login: root (automatic login)', seconds: BOOT_SECONDS },
  { expect: '# ', seconds: ANSWER_SECONDS },
  ...questionSteps(),
];

/** What the boot test starts: a disk with a boot loader and its seed, a medium, or a kernel and its RAM disk; undefined when the image makes neither. */
export function bootArtifacts({ artifacts, boot }: ImageDefinition): readonly ImageArtifact[] | undefined {
  const plain = (wanted: BuiltArtifactType) =>
    artifacts.find(({ type, compression }) => type === wanted && compression === undefined);
  const medium = plain('iso');
  if (medium !== undefined) return [medium];
  const disk = DISK_FORMATS.map(([type]) => plain(type)).find((artifact) => artifact !== undefined);
  const seed = plain('seed');
  if (boot.type !== 'none' && disk !== undefined) return seed === undefined ? [disk] : [disk, seed];
  const [kernel, initrd] = [plain('kernel'), plain('initrd')];
  return kernel === undefined || initrd === undefined ? undefined : [kernel, initrd];
}

/**
 * Proves that a disk starts and holds what it should.
 * @throws BuildError `BOOT_TEST_FAILED` (one diagnostic for each problem)
 */
export async function bootDisk(host: Host, ports: ImagePorts, request: DiskBootRequest): Promise<BootReport> {
  const { definition, files, log } = request;
  const expectedNevras = request.rpms.map(({ nevra }) => nevra);
  const [first] = [...files.keys()];
  const say = (message: string) =>
    host.emit({ type: 'progress', action: 'boot-test', subject: definition.name, message });
  const checks: ImageCheck[] = [];
  const osReleases: string[] = [];
  const hangs: string[] = [];
  const onHang = (message: string) => {
    hangs.push(message);
    say(message);
  };
  const start = async (one: Start) => {
    say(`starting ${first!.fileName}${one.way}`);
    const { source, media } = one;
    const machine = { source, media, credentials: ROOT_CREDENTIALS };
    const console = await runMachine(ports, { name: definition.name, log, onHang }, { machine, steps: STEPS });
    const answers = parseAnswers(console);
    const found = checkGuest({ definition, expectedNevras, answers, console });
    checks.push(...found.map((check) => ({ ...check, name: `${check.name}${one.way}` })));
    osReleases.push(answers.osRelease ?? '');
  };
  const starts = bootSources(definition, [...files]);
  const names = [`boot-test-${definition.name}-disks`];
  await withWorkDirectories(ports, names, async ([scratch]) => {
    const disks = await protectedDisks(ports, {
      definition,
      sources: starts.map(({ source }) => source),
      scratch: scratch!,
    });
    for (const one of starts) await start(disks === undefined ? one : { ...one, source: disks.started });
    for (const refusal of REFUSALS) {
      const source = disks?.[refusal.disk];
      if (source === undefined) continue;
      say(`starting it again: ${refusal.name}`);
      checks.push(await refuse(ports, request, { refusal, source, onHang }));
    }
  });
  const osRelease = parseOsRelease(osReleases[0]!);
  const report: BootReport = {
    ...{ image: definition.name, osRelease, packages: expectedNevras.length, checks },
    ...(hangs.length === 0 ? {} : { hangs }),
  };
  const failure = failureOfChecks(report, log);
  if (failure !== undefined) throw failure;
  return report;
}

/** A disk that must not start, and how one sees that on the console. */
interface Refusal {
  readonly name: string;
  readonly disk: 'unsigned' | 'changed';
  readonly steps: (definition: ImageDefinition) => readonly ConsoleStep[];
}

const REFUSALS: readonly Refusal[] = [
  {
    name: 'without a signature it does not start',
    disk: 'unsigned',
    steps: () => [{ expect: 'Access Denied', seconds: BOOT_SECONDS }, { stop: true }],
  },
  {
    name: 'with a changed byte of the root it does not start',
    disk: 'changed',
    steps: ({ disk }) => [
      { expect: 'data block 0 is corrupted', seconds: BOOT_SECONDS },
      ...(disk?.verity?.onCorruption === 'restart'
        ? [{ off: true, seconds: ANSWER_SECONDS } as const]
        : [{ expect: 'Kernel panic - not syncing', seconds: ANSWER_SECONDS }, { stop: true } as const]),
    ],
  },
];

async function refuse(
  ports: ImagePorts,
  { log, definition }: DiskBootRequest,
  { refusal, source, onHang }: { readonly refusal: Refusal; readonly source: BootSource } & Pick<TestedImage, 'onHang'>,
): Promise<ImageCheck> {
  const { name } = refusal;
  const steps = refusal.steps(definition);
  const machine = { source, credentials: ROOT_CREDENTIALS };
  const { console, problem } = await talkOnceMore(ports, { name: definition.name, log, onHang }, { machine, steps });
  const problems = problem === undefined ? [] : [problem, ...lastLines(console)];
  return { name, outcome: problems.length === 0 ? 'passed' : 'failed', problems };
}

interface Start {
  /** For people, when there are several: ` (…)`. */
  readonly way: string;
  readonly source: BootSource;
  readonly media?: readonly string[];
}

function bootSources(definition: ImageDefinition, files: readonly (readonly [ImageArtifact, string])[]): Start[] {
  const [[artifact, disk]] = [files[0]!];
  if (artifact.type !== 'iso') {
    const media = files.filter(([{ type }]) => type === 'seed').map(([, path]) => path);
    return [{ way: '', source: bootSource(definition, files), media }];
  }
  return [
    { way: ' (CD, BIOS)', source: { disk, format: 'raw', drive: 'cd', firmware: 'bios' } },
    { way: ' (CD, UEFI)', source: { disk, format: 'raw', drive: 'cd', firmware: 'uefi' } },
    { way: ' (USB, BIOS)', source: { disk, format: 'raw', drive: 'usb', firmware: 'bios' } },
    { way: ' (USB, UEFI)', source: { disk, format: 'raw', drive: 'usb', firmware: 'uefi' } },
  ];
}

function bootSource({ boot }: ImageDefinition, files: readonly (readonly [ImageArtifact, string])[]): BootSource {
  const [[artifact, path], second] = [files[0]!, files[1]];
  if (artifact.type === 'kernel' && second !== undefined) {
    const commandLine = ['console=ttyS0', ...boot.commandLine].join(' ');
    return { kernel: path, initrd: second[1], commandLine };
  }
  const format = DISK_FORMATS.find(([type]) => type === artifact.type)![1];
  return { disk: path, format, firmware: boot.type === 'efi' ? 'uefi' : 'bios' };
}
