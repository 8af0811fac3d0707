/** Texts of system files that a definition asks for. */
import { BuildError } from '@kiln/diagnostics';
import type { NetworkDevice, PackageRepository, SelinuxMode } from '@kiln/image-config';

/** A file of systemd.network(5): its name and its text. */
export function networkFile(device: NetworkDevice): { readonly name: string; readonly text: string } {
  const { match, dhcp, address, gateway, nameServers, onBoot } = device;
  const name = 'name' in match ? match.name : match.hardwareAddress;
  const text = [
    '[Match]',
    'name' in match ? `Name=${match.name}` : `MACAddress=${match.hardwareAddress}`,
    // Not configured until somebody asks for it.
    ...(onBoot ? [] : ['', '[Link]', 'ActivationPolicy=manual']),
    '',
    '[Network]',
    ...(dhcp ? ['DHCP=yes'] : []),
    ...(address === undefined ? [] : [`Address=${address}`]),
    ...(gateway === undefined ? [] : [`Gateway=${gateway}`]),
    ...nameServers.map((server) => `DNS=${server}`),
    '',
  ];
  return {
    name: `10-${dhcp ? 'dhcp' : 'static'}-${name.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}.network`,
    text: text.join('\n'),
  };
}

/** As dnf.conf(5) and tdnf read it. */
export function repositoryFile({ name, baseUrl, checkPackages, checkMetadata, keys }: PackageRepository): string {
  return [
    `[${name}]`,
    `name=${name}`,
    `baseurl=${baseUrl}`,
    ...(keys === undefined ? [] : [`gpgkey=${keys}`]),
    `gpgcheck=${checkPackages ? 1 : 0}`,
    `repo_gpgcheck=${checkMetadata ? 1 : 0}`,
    'enabled=1',
    'skip_if_unavailable=True',
    'sslverify=1',
    '',
  ].join('\n');
}

/**
 * /etc/selinux/config with another mode.
 * @param config the file as the policy's package has it; undefined when there is none
 * @throws BuildError `IMAGE_SELINUX_MISSING`
 */
export function selinuxConfig(config: string | undefined, mode: SelinuxMode): string {
  const line = /^SELINUX=.*$/m;
  if (config === undefined || !line.test(config)) {
    const found = config === undefined ? 'there is no /etc/selinux/config' : '/etc/selinux/config has no line SELINUX=';
    throw new BuildError('IMAGE_SELINUX_MISSING', `SELinux can't be ${mode}: ${found}`, {
      hint: 'add the package of the policy',
    });
  }
  return config.replace(line, `SELINUX=${mode}`);
}

/** /etc/hosts with the machine's own name, when it isn't there. */
export function hostsWith(hosts: string, hostname: string): string {
  const names = hosts.split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1));
  if (names.includes(hostname)) return hosts;
  return `${hosts}${hosts === '' || hosts.endsWith('\n') ? '' : '\n'}127.0.0.1   ${hostname}\n`;
}

/** What package managers in the image are to leave out as well: a file of rpm's macros; undefined when there is nothing. */
export function rpmMacros(disableDocs: boolean, languages: string | undefined): string | undefined {
  const macros = [
    ...(disableDocs ? ['%_excludedocs 1'] : []),
    ...(languages === undefined ? [] : [`%_install_langs ${languages}`]),
  ];
  return macros.length === 0
    ? undefined
    : `# What the image leaves out, its packages do later too.\n${macros.join('\n')}\n`;
}
