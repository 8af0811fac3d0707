export {
  archiveBases,
  downloadFromArchive,
  type ArchiveFile,
  type ArchiveName,
  type DownloadProgress,
} from './debian-archive.ts';
export { sourceRequirements } from './requirements.ts';
