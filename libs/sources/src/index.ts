export { fetchSources, type FetchedSources, type SourceOrigin, type SourceRequest } from './fetch-sources.ts';
export { isPlainFileName, parseSignatures, readSignatures, type Signatures } from './signatures.ts';
export { parseDebianLock, readDebianLock, type LockedSource } from './debian-lock.ts';
export {
  archiveBases,
  downloadFromArchive,
  type ArchiveFile,
  type ArchiveName,
  type DownloadProgress,
} from './debian-archive.ts';
export { sourceRequirements } from './requirements.ts';
