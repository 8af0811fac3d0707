/** What making the toolchain layer needs of the machine. */
import { programRequirement, type Requirement } from '@kiln/host';
import { verifyingRequirements } from '@kiln/rpm-repository';

/** Beside what sandboxes and downloads need; `kiln doctor` shows it. */
export const toolchainRequirements: readonly Requirement[] = [
  programRequirement({
    program: 'dpkg-deb',
    why: 'unpacks the packages of the build tools',
    debianPackage: 'dpkg',
    minimalVersion: '1.21',
  }),
  programRequirement({
    program: 'tar',
    why: 'unpacks the packages of the build tools',
    debianPackage: 'tar',
    minimalVersion: '1.30',
  }),
  programRequirement({ program: 'bash', why: 'composes roots', debianPackage: 'bash', minimalVersion: '5.0' }),
  programRequirement({ program: 'flock', why: 'lets several runs share the store', debianPackage: 'util-linux' }),
];

/** What the provider `repository` needs in addition. */
export const repositoryToolchainRequirements: readonly Requirement[] = [
  ...verifyingRequirements,
  programRequirement({ program: 'rpm2cpio', why: 'unpacks the RPMs of the toolchain', debianPackage: 'rpm2cpio' }),
  programRequirement({ program: 'cpio', why: 'unpacks the RPMs of the toolchain', debianPackage: 'cpio' }),
];
