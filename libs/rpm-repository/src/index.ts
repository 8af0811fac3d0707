export { parseRpmHeader, readRpmHeader } from './rpm-header.ts';
export type { ChangelogEntry, RpmHeader, RpmLayout, RpmPackage, RpmPayload } from './rpm-header.ts';
export type { HeaderTags, TagValue } from './header-tags.ts';
export { RPM_SIGNATURE_TAG, RPM_TAG, type RpmTagName } from './rpm-tag.ts';
export { SENSE_RPMLIB, type RpmDependencies } from './rpm-dependencies.ts';
export type { Scriptlet, ScriptletKind, Trigger, TriggerKind } from './rpm-scriptlets.ts';
export { FILE_FLAG, isDirectory, isRegular, isSymbolicLink, type RpmFileEntry } from './rpm-files.ts';
export { compareRpms } from './compare-rpms.ts';
export { findFileConflicts, type FileConflict, type FileOwner } from './file-conflicts.ts';
export { artifactDigest, verifyRpm, type VerifiedRpm } from './verify-rpm.ts';
export { EMPTY_LEDGER, formatLedger, parseLedger, recordArtifacts } from './nevra-ledger.ts';
export type { LedgerEntry, NevraLedger, ReusedNevra } from './nevra-ledger.ts';
export { createRepository } from './create-repository.ts';
export type {
  EarlierMetadata,
  Repository,
  RepositoryPackage,
  RepositoryRequest,
  RunTool,
  ToolMount,
  ToolRequest,
} from './create-repository.ts';
export { readFilelists, readPrimary, readRepomd, readRepository, type PackageFiles } from './read-repodata.ts';
export { repositoryDirectory, type Checksum, type RepodataSource, type StatedFile } from './repodata-source.ts';
export type { RepodataDependencies, RepodataFiles, RepodataPackage } from './repodata-package.ts';
export type { Repomd } from './repomd.ts';
export { signingRequirements, withSigner, type Signer, type SigningKey } from './signer.ts';
export { verifyingRequirements, withVerifier, type SignatureVerifier } from './signature-verifier.ts';
