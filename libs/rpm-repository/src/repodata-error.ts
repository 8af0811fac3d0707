/** How a reader of rpm-md says that its input is not what it claims to be. */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';

const REGENERATE = 'the metadata are damaged or were changed while they were copied: make them anew with createrepo_c';

/** `REPODATA_MALFORMED`: what was found at a place of a metadata file. */
export function malformedRepodata(location: SourceLocation, found: string, cause?: unknown): BuildError {
  return new BuildError('REPODATA_MALFORMED', found, { location, hint: REGENERATE, cause });
}

/** `REPODATA_DIGEST_MISMATCH`: a file is not the one that repomd.xml, or the caller, names. */
export function mismatchedRepodata(file: string, found: string): BuildError {
  return new BuildError('REPODATA_DIGEST_MISMATCH', `${file}: ${found}`, {
    hint: 'fetch the repository again: a half-updated mirror has new and old files at the same time',
  });
}

/** `REPODATA_PATH_OUTSIDE`: a location that doesn't lie below the repository's directory. */
export function locationOutside(location: SourceLocation, path: string): BuildError {
  return new BuildError('REPODATA_PATH_OUTSIDE', `the location '${path}' leaves the repository`, {
    location,
    hint: 'do not use this repository: createrepo_c writes relative paths below the directory only',
  });
}
