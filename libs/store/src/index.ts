export { defaultStoreDirectory, digestFile, Store, type ActionResult, type Blob } from './store.ts';
