export { type ActionResult, type Blob } from './action-file.ts';
export { copySparse } from './copy-sparse.ts';
export { digestFile, digestOpenFile } from './digest-file.ts';
export { type EarlierResults } from './earlier-results.ts';
export {
  collectGarbage,
  storeSize,
  type GarbageOptions,
  type GarbageReport,
  type ObjectKind,
} from './garbage-collection.ts';
export { archiveRequirements, packLayer, unpackLayer } from './layer-archive.ts';
export { parseSize, storeLimit } from './size-limit.ts';
export { defaultStoreDirectory, Store } from './store.ts';
export { isSealed, sealTree, treeDigest, walkTree, type EntryType, type TreeSeal } from './tree-seal.ts';
