/** Schema of a root that can't be changed unnoticed. The members are those of CBL-Mariner 2; `HashPartition` is ours. */
import { flag, text } from './schema-node.ts';

export const readOnlyVerityRoot = {
  type: 'object',
  description: 'dm-verity: the kernel checks each block of the root against a tree of digests',
  properties: {
    Enable: flag,
    Name: { type: 'string', pattern: '^[A-Za-z0-9_.-]+$', description: 'Of the mapped device; verity_root_fs' },
    HashPartition: { ...text, description: 'ID of the partition for the tree, without a file system' },
    VerityErrorBehavior: {
      type: 'string',
      enum: ['ignore', 'restart', 'panic', ''],
      description: 'What a changed block leads to, beside an error of the read',
    },
    ErrorCorrectionEnable: { ...flag, notBuilt: true },
    ErrorCorrectionEncodingRoots: { type: 'integer', minimum: 2, maximum: 24, notBuilt: true },
    RootHashSignatureEnable: { ...flag, notBuilt: true },
    ValidateOnBoot: { ...flag, notBuilt: true },
    TmpfsOverlays: { type: 'array', items: text, default: [], notBuilt: true },
    TmpfsOverlaySize: { ...text, notBuilt: true },
    TmpfsOverlayDebugEnabled: { ...flag, notBuilt: true },
  },
  additionalProperties: false,
} as const;
