/** Network devices that an image configures. */
import type { SystemConfig } from './image-config-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

export interface NetworkDevice {
  /** By its name, which may have wildcards, or by its hardware address. */
  readonly match: { readonly name: string } | { readonly hardwareAddress: string };
  readonly dhcp: boolean;
  /** Address with the length of its prefix, such as `192.0.2.7/24`. */
  readonly address?: string;
  readonly gateway?: string;
  readonly nameServers: readonly string[];
  /** Whether it comes up by itself. */
  readonly onBoot: boolean;
}

type WrittenNetwork = NonNullable<SystemConfig['Networks']>[number];

const HARDWARE_ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** The networks of a system; what is wrong with them goes to `problems`. */
export function readNetworks(system: LocatedJson, problems: ProblemList): NetworkDevice[] {
  const devices = new Set<string>();
  return listItems(valueAt(system, ['Networks'])).map((place): NetworkDevice => {
    const written = plainValue(place) as WrittenNetwork;
    const { BootProto = '', Device, Ip = '', NetMask = '', GateWay = '', NameServer = [] } = written;
    const at = (member: string) => (valueAt(place, [member]) ?? place).location;
    const key = Device.trim().toLowerCase();
    if (devices.has(key)) problems.add(`two networks have the Device '${Device}'`, at('Device'));
    devices.add(key);
    if (!/^\S+$/.test(Device.trim()) || Device.includes('/'))
      problems.add(`'${Device}' is neither the name of a device nor a hardware address`, at('Device'));
    if (key === 'bootif')
      problems.add(`'bootif' names the device that an installer started from`, at('Device'), 'name the device');
    if (BootProto === 'bootp' || BootProto === 'ibft')
      problems.add(`systemd-networkd has no '${BootProto}'`, at('BootProto'), "use 'dhcp' or 'static'");
    const isStatic = BootProto === 'static';
    if (isStatic && Ip === '') problems.add('a static network needs an Ip', place.location);
    for (const [member, value] of [
      ['Ip', Ip],
      ['GateWay', GateWay],
    ] as const)
      if (value !== '' && !isAddress(value)) problems.add(`'${value}' is not an IP address`, at(member));
    if (Ip !== '' && GateWay !== '' && isAddress(Ip) && isAddress(GateWay) && isIpv6(Ip) !== isIpv6(GateWay))
      problems.add(
        `the gateway ${GateWay} can't be reached from ${Ip}: one of them is IPv4, the other IPv6`,
        at('GateWay'),
      );
    for (const value of NameServer)
      if (!isAddress(value)) problems.add(`'${value}' is not an IP address`, at('NameServer'));
    const length = Ip === '' ? undefined : prefixLength(Ip, NetMask);
    if (Ip !== '' && length === undefined)
      problems.add(
        NetMask === '' ? "an Ip needs a 'NetMask'" : `'${NetMask}' is not a net mask for ${Ip}`,
        at('NetMask'),
      );
    return {
      match: HARDWARE_ADDRESS.test(key) ? { hardwareAddress: key } : { name: Device.trim() },
      dhcp: !isStatic,
      ...(length === undefined ? {} : { address: `${Ip}/${length}` }),
      ...(GateWay === '' ? {} : { gateway: GateWay }),
      nameServers: NameServer,
      onBoot: written.OnBoot ?? false,
    };
  });
}

/** IPv4 in its usual form, or what can only be IPv6. */
function isAddress(text: string): boolean {
  return ipv4Bits(text) !== undefined || isIpv6(text);
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const fits = halves.length === 2 ? groups.length < 8 : groups.length === 8;
  return fits && groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group));
}

function ipv4Bits(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return parts.reduce((bits, part) => bits * 256 + Number(part), 0);
}

/** Of a mask such as 255.255.255.0 for IPv4, or of a number, which IPv6 has. */
function prefixLength(address: string, mask: string): number | undefined {
  const isNumber = /^\d{1,3}$/.test(mask);
  const isV4 = ipv4Bits(address) !== undefined;
  if (isNumber) return Number(mask) <= (isV4 ? 32 : 128) ? Number(mask) : undefined;
  const bits = isV4 ? ipv4Bits(mask) : undefined;
  if (bits === undefined) return undefined;
  const text = bits.toString(2).padStart(32, '0');
  return /^1*0*$/.test(text) ? (text.indexOf('0') === -1 ? 32 : text.indexOf('0')) : undefined;
}
