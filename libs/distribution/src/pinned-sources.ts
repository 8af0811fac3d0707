/** The source files of a package with the digests that pin them: local files by their content, others by `signatures.json`. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import { readSignatures } from '@kiln/sources';
import { isInside } from './is-inside.ts';
import type { EvaluatedPackage } from './package-project.ts';

export interface PinnedSource {
  readonly fileName: string;
  readonly sha256: Sha256;
  /** The tag's value: where the file may be had. */
  readonly url: string;
  readonly location: SourceLocation;
  /** Workspace-relative path when the file lies beside the spec. */
  readonly localPath?: string;
}

/** Workspace-relative path of the signatures of a spec. */
export function signaturesPath({ directory, specFile }: Pick<EvaluatedPackage, 'directory' | 'specFile'>): string {
  return join(directory, `${basename(specFile, '.spec')}.signatures.json`);
}

/**
 * All files that SOURCES must hold.
 * @throws BuildError `SOURCE_UNSIGNED`, `SOURCE_DIGEST_MISMATCH`, `SOURCE_NAME_INVALID`, `SIGNATURES_MALFORMED`.
 */
export function pinnedSources(root: string, project: EvaluatedPackage): PinnedSource[] {
  const file = signaturesPath(project);
  const signatures = readSignatures(join(root, file), file);
  const files = project.sourcePackage?.sources ?? [];
  const unique = new Map(files.map((one) => [one.fileName, one]));
  return [...unique.values()].map(({ fileName, url, location, kind }) => {
    if (fileName !== basename(fileName) || fileName.startsWith('.') || fileName === '') {
      throw new BuildError('SOURCE_NAME_INVALID', `'${fileName}' is no plain file name`, {
        location,
        hint: 'the name of a source is what follows the last / of its tag',
      });
    }
    const localPath = join(project.directory, fileName);
    const pinned = signatures.get(fileName);
    if (existsSync(join(root, localPath))) {
      if (!isInside(root, localPath)) throw outside(localPath, location);
      const found = sha256(readFileSync(join(root, localPath)));
      if (pinned !== undefined && pinned !== found) {
        throw new BuildError(
          'SOURCE_DIGEST_MISMATCH',
          `${localPath} has SHA-256 ${found}, but ${file} says ${pinned}`,
          {
            location,
            hint: `if the change is meant, write the new digest to ${file}: kiln sources --update ${project.id}`,
          },
        );
      }
      if (pinned === undefined && kind === 'source')
        throw unsigned(project, { fileName, file, location, digest: found });
      return { fileName, sha256: found, url, location, localPath };
    }
    if (pinned === undefined) throw unsigned(project, { fileName, file, location });
    return { fileName, sha256: pinned, url, location };
  });
}

function outside(localPath: string, location: SourceLocation): BuildError {
  return new BuildError('SOURCE_OUTSIDE', `${localPath} is a link to something outside of the workspace`, {
    location,
    hint: 'put the file itself beside the spec',
  });
}

interface Unsigned {
  readonly fileName: string;
  /** The signatures. */
  readonly file: string;
  readonly location: SourceLocation;
  /** That of the file beside the spec, when it is there. */
  readonly digest?: Sha256;
}

function unsigned({ id }: EvaluatedPackage, { fileName, file, location, digest }: Unsigned): BuildError {
  const missing = `${file} has no SHA-256 for the source '${fileName}'`;
  const update = `kiln sources --update ${id}`;
  return digest === undefined
    ? new BuildError('SOURCE_UNSIGNED', `${missing}, and no such file lies beside the spec`, {
        location,
        hint: `put a file of the package itself beside the spec; \`${update}\` fetches others and pins what they are now`,
      })
    : new BuildError('SOURCE_UNSIGNED', `${missing} that lies beside the spec`, {
        location,
        hint: `add "${fileName}": "${digest}" to ${file}, or let \`${update}\` do it`,
      });
}
