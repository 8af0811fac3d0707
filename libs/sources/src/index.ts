export {
  fetchSources,
  tryFetchSources,
  type FetchedSources,
  type FetchOptions,
  type SourceOrigin,
  type SourceRequest,
} from './fetch-sources.ts';
export { download, type DownloadOutcome, type Wanted } from './download.ts';
export { FetchProgress, type FetchingTask, type TellBytes } from './fetch-progress.ts';
export { placeLabel, withoutCredentials, type SourcePlace } from './source-place.ts';
export { type SourceProvenance } from './provenance.ts';
export { formatSignatures, isPlainFileName, parseSignatures, readSignatures, type Signatures } from './signatures.ts';
export {
  updateSignatures,
  type SignatureChange,
  type SignatureUpdate,
  type UnpinnedSource,
} from './update-signatures.ts';
export { parseDebianLock, readDebianLock, type LockedSource } from './debian-lock.ts';
export {
  archiveBases,
  downloadFromArchive,
  type ArchiveFile,
  type ArchiveName,
  type DownloadProgress,
} from './debian-archive.ts';
export { sourceRequirements } from './requirements.ts';
