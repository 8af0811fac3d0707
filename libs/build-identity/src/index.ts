export { canonicalJson, type Json } from './canonical-json.ts';
export { digestOf, parseSha256, sha256, type Sha256 } from './digest.ts';
