/** The target: what rpm's platform files and its rpmrc define for an architecture. */

export type TargetArch = 'x86_64' | 'aarch64';

interface Platform {
  readonly isaName: string;
  readonly color: number;
  readonly libraryDirectory: string;
}

const PLATFORMS: Readonly<Record<TargetArch, Platform>> = {
  x86_64: { isaName: 'x86', color: 3, libraryDirectory: 'lib64' },
  aarch64: { isaName: 'aarch', color: 3, libraryDirectory: 'lib64' },
};

/** The macro file of a platform. */
export function platformMacros(arch: TargetArch): string {
  const { isaName, color, libraryDirectory } = PLATFORMS[arch];
  return `
%_arch ${arch}
%_build_arch ${arch}
%_vendor pc
%_os linux
%_gnu -gnu
%_target_platform %{_target_cpu}-%{_vendor}-%{_target_os}
%optflags -O2 -g
%__isa_name ${isaName}
%__isa_bits 64
%__isa %{__isa_name}-%{__isa_bits}
%_transaction_color ${color}
%_lib ${libraryDirectory}
%_libdir %{_prefix}/${libraryDirectory}
%_build %{_host}
%_build_alias %{_host_alias}
%_build_cpu %{_host_cpu}
%_build_vendor %{_host_vendor}
%_host ${arch}-pc-linux-gnu
%_host_alias ${arch}-pc-linux-gnu%{nil}
%_host_vendor pc
%_target_alias %{_host_alias}
%_target_vendor %{_host_vendor}
`;
}

/** What rpm sets itself when a target is chosen (rpmRebuildTargetVars, lib/rpmrc.c). */
export function targetMacros(arch: string): Record<string, string> {
  return {
    _build_cpu: arch,
    _build_os: 'linux',
    _host_cpu: arch,
    _host_os: 'linux',
    _target: `${arch}-linux`,
    _target_cpu: arch,
    _target_os: 'linux',
  };
}
