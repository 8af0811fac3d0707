/** Schema of a root that can't be changed unnoticed. The members are those of CBL-Mariner 2; `HashPartition` is ours. */
import { flag, text } from './schema-node.ts';

/** What programs of an initial RAM disk would do. */
const KERNEL_ALONE = 'the kernel itself maps the root, without an initial RAM disk';

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
    ErrorCorrectionEnable: { ...flag, notBuilt: KERNEL_ALONE },
    ErrorCorrectionEncodingRoots: { type: 'integer', minimum: 2, maximum: 24, notBuilt: KERNEL_ALONE },
    RootHashSignatureEnable: { ...flag, notBuilt: 'the digest is in the unified kernel image, which SecureBoot signs' },
    ValidateOnBoot: { ...flag, notBuilt: KERNEL_ALONE },
    TmpfsOverlays: { type: 'array', items: text, default: [], notBuilt: KERNEL_ALONE },
    TmpfsOverlaySize: { ...text, notBuilt: KERNEL_ALONE },
    TmpfsOverlayDebugEnabled: { ...flag, notBuilt: KERNEL_ALONE },
  },
  additionalProperties: false,
} as const;
