/** Appliances of VMware and VirtualBox: a description (OVF 1.1, DMTF DSP0243), checksums of the parts, and a VMDK, in one archive. */
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { digestFile } from '@kiln/store';
import { ARTIFACT, type DiskWriter } from '../made-image.ts';
import { writeTar } from '../tar-writer.ts';
import { writeVmdk } from './vmdk.ts';

export const writeOva: DiskWriter = async (made, artifact) => {
  const { directories, request } = made.stage;
  await writeVmdk(made, artifact);
  const path = join(directories.output, ARTIFACT);
  const file = join(directories.output, 'appliance.vmdk');
  await rename(path, file);
  const { size } = await stat(file);
  const name = artifact.fileName.replace(/\.ova.*$/, '');
  const disk = `${name}-disk1.vmdk`;
  const firmware = request.definition.boot.type === 'efi' ? 'efi' : 'bios';
  const description = ovf({ name, disk, fileBytes: size, diskBytes: made.plan!.sizeBytes, firmware });
  const sums = { [`${name}.ovf`]: sha256(description), [disk]: await digestFile(file) };
  const manifest = Object.entries(sums).map(([part, digest]) => `SHA256(${part})= ${digest}\n`);
  // The description must be the first one.
  const members = [
    { name: `${name}.ovf`, content: description },
    { name: `${name}.mf`, content: manifest.join('') },
    { name: disk, file, size },
  ];
  await writeTar(path, members, request.sourceDateEpoch);
  await rm(file);
};

interface Appliance {
  readonly name: string;
  /** The disk's file. */
  readonly disk: string;
  readonly fileBytes: number;
  readonly diskBytes: number;
  readonly firmware: 'efi' | 'bios';
}

/** Of CIM_OperatingSystem: Linux with 64 bits. */
const LINUX_64 = 101;

/**
 * Two processors, 1 GiB, and what most kernels have drivers for: a disk at a SATA controller, an Intel network device. Types are numbers of the CIM
 * (ResourceType); members stand in alphabetical order.
 */
const HARDWARE: readonly Readonly<Record<string, string | number>>[] = [
  { ElementName: 'processors', InstanceID: 1, ResourceType: 3, VirtualQuantity: 2 },
  { AllocationUnits: 'byte * 2^20', ElementName: 'memory', InstanceID: 2, ResourceType: 4, VirtualQuantity: 1024 },
  { Address: 0, ElementName: 'controller', InstanceID: 3, ResourceSubType: 'vmware.sata.ahci', ResourceType: 20 },
  {
    AddressOnParent: 0,
    ElementName: 'disk',
    HostResource: 'ovf:/disk/disk1',
    InstanceID: 4,
    Parent: 3,
    ResourceType: 17,
  },
  {
    ...{ AutomaticAllocation: 'true', Connection: 'network', ElementName: 'network device', InstanceID: 5 },
    ...{ ResourceSubType: 'E1000', ResourceType: 10 },
  },
];

function ovf({ name, disk, fileBytes, diskBytes, firmware }: Appliance): string {
  const cim = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2';
  const envelope = 'http://schemas.dmtf.org/ovf/envelope/1';
  const items = HARDWARE.map((item) => {
    const members = Object.entries(item).map(([key, value]) => `        <rasd:${key}>${value}</rasd:${key}>\n`);
    return `      <Item>\n${members.join('')}      </Item>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="${envelope}" xmlns:ovf="${envelope}" xmlns:rasd="${cim}/CIM_ResourceAllocationSettingData"
  xmlns:vssd="${cim}/CIM_VirtualSystemSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>
    <File ovf:href="${disk}" ovf:id="file1" ovf:size="${fileBytes}"/>
  </References>
  <DiskSection>
    <Info>Disks</Info>
    <Disk ovf:capacity="${diskBytes}" ovf:diskId="disk1" ovf:fileRef="file1"
      ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
    <Network ovf:name="network"/>
  </NetworkSection>
  <VirtualSystem ovf:id="${name}">
    <Info>A virtual machine</Info>
    <Name>${name}</Name>
    <OperatingSystemSection ovf:id="${LINUX_64}">
      <Info>The operating system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>The hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>${name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType>
      </System>
${items.join('')}      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="${firmware}"/>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}
