import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, formatLocation, type Diagnostic } from '@kiln/diagnostics';
import { formatDependency } from '@kiln/rpm-package';
import { describe, expect, it } from 'vitest';
import { memoryFiles } from './memory-files.ts';
import { editorSchemas, readImageDefinition, type ImageDefinition } from '../src/index.ts';

const root = join(import.meta.dirname, '../../..');
const minimal = { Disks: [{ Artifacts: [{ Type: 'oci' }] }], SystemConfigs: [{ Name: 'One', Packages: ['bash'] }] };

function readFrom(files: Record<string, unknown>, file = 'images/test.json'): ImageDefinition {
  return readImageDefinition(file, memoryFiles(files));
}

function read(content: unknown): ImageDefinition {
  return readFrom({ 'images/test.json': content });
}

function failure(work: () => unknown): BuildError {
  try {
    work();
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** `file:line:column: code: message` of every problem. */
function problems(work: () => unknown): string[] {
  const error = failure(work);
  const all: readonly Pick<Diagnostic, 'location' | 'code' | 'message'>[] =
    error.diagnostics.length > 0 ? error.diagnostics : [error as never];
  return all.map(({ location, code, message }) => `${formatLocation(location)}${code}: ${message}`);
}

describe('readImageDefinition', () => {
  it("reads the tree's base container", () => {
    const definition = readImageDefinition('imageconfigs/base-container.json', {
      read: (path) => readFileSync(join(root, path), 'utf8'),
      inspect: () => undefined,
    });
    expect(definition.packages.map(({ dependency }) => formatDependency(dependency))).toContain('coreutils');
    expect(definition.artifacts).toEqual([
      { type: 'oci', fileName: 'base-container.oci.tar' },
      { type: 'tar.gz', fileName: 'base-container.tar.gz' },
    ]);
    expect(definition.container.cmd).toEqual(['/bin/bash']);
    expect(definition).toMatchObject({ name: 'base-container', removeRpmDb: false, disableRpmDocs: false });
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
  });

  it('reads an Azure Linux configuration of a container as it is', () => {
    const definition = read({
      Disks: [{ PartitionTableType: 'gpt', Artifacts: [{ Name: 'core', Type: 'tar.gz', Compression: '' }] }],
      SystemConfigs: [
        {
          Name: 'Standard',
          IsDefault: true,
          BootType: 'none',
          Hostname: 'example',
          Packages: ['bash', 'sed>=4.8', 'a = 1:2-3'],
          Users: [],
        },
      ],
    });
    expect(definition.packages.map(({ dependency }) => formatDependency(dependency))).toEqual([
      'bash',
      'sed >= 4.8',
      'a = 1:2-3',
    ]);
    expect(definition.artifacts).toEqual([{ type: 'tar.gz', fileName: 'core.tar.gz' }]);
    expect(definition.hostname).toBe('example');
  });

  it('takes packages from lists, which are relative to the file that names them', () => {
    const config = {
      ...minimal,
      SystemConfigs: [{ Name: 'One', PackageLists: ['lists/a.json', './../b.json'], Packages: ['sed', 'own'] }],
    };
    const definition = readFrom({
      'images/test.json': config,
      'images/lists/a.json': { packages: ['bash', 'sed'] },
      'b.json': { packages: ['bash'] },
    });
    expect(definition.packages.map(({ dependency }) => dependency.name)).toEqual(['bash', 'sed', 'own']);
    expect(definition.packages[1]!.location).toMatchObject({ file: 'images/lists/a.json', line: 4 });
    expect(definition.files).toEqual(['b.json', 'images/lists/a.json', 'images/test.json']);
  });
});

describe('extends', () => {
  const base = {
    Disks: [{ Artifacts: [{ Type: 'oci' }] }],
    SystemConfigs: [
      {
        Name: 'One',
        Packages: ['bash', 'sed'],
        PackageLists: ['list.json'],
        Container: { Cmd: ['/bin/bash'], Env: { A: '1', B: '2' }, Volumes: ['/a'] },
      },
    ],
  };

  it('merges by the documented rules', () => {
    const definition = readFrom({
      'images/test.json': {
        extends: '../base/base.json',
        Disks: [{ Artifacts: [{ Type: 'tar.gz', Name: 'other' }] }],
        SystemConfigs: [
          {
            Name: 'One',
            RemoveRpmDb: true,
            Packages: ['sed', 'grep'],
            Container: { Cmd: ['/bin/sh'], Env: { B: '3' }, Volumes: ['/b'] },
          },
        ],
      },
      'base/base.json': base,
      'base/list.json': { packages: ['listed'] },
    });
    expect(definition.packages.map(({ dependency }) => dependency.name)).toEqual(['listed', 'bash', 'sed', 'grep']);
    expect(definition.artifacts).toEqual([{ type: 'tar.gz', fileName: 'other.tar.gz' }]);
    expect(definition.removeRpmDb).toBe(true);
    expect(definition.container).toMatchObject({ cmd: ['/bin/sh'], env: { A: '1', B: '3' }, volumes: ['/a', '/b'] });
    expect(definition.files).toEqual(['base/base.json', 'base/list.json', 'images/test.json']);
  });

  it('takes several bases, of which the last wins', () => {
    const { container } = readFrom({
      'images/test.json': { extends: ['a.json', 'b.json'] },
      'images/a.json': {
        ...base,
        SystemConfigs: [{ Name: 'One', Packages: ['x'], Container: { User: 'a', WorkingDir: '/a' } }],
      },
      'images/b.json': { SystemConfigs: [{ Name: 'One', Container: { User: 'b' } }] },
    });
    expect(container).toMatchObject({ user: 'b', workingDir: '/a' });
  });

  it('points into the base for a problem of the base', () => {
    const files = { 'images/test.json': { extends: 'base.json' }, 'images/base.json': { ...minimal, Disk: [] } };
    expect(problems(() => readFrom(files))).toEqual([
      "images/base.json:19:3: IMAGE_CONFIG_INVALID: the definition has no member 'Disk'; did you mean 'Disks'?",
    ]);
  });

  it('refuses circles, missing files and other values', () => {
    const circle = { 'images/test.json': { extends: 'b.json' }, 'images/b.json': { extends: './test.json' } };
    expect(problems(() => readFrom(circle))).toEqual([
      "images/b.json:2:14: IMAGE_EXTENDS_CYCLE: 'extends' goes in a circle: images/test.json → images/b.json → images/test.json",
    ]);
    expect(problems(() => readFrom({ 'images/test.json': { extends: 'b.json' } }))).toEqual([
      "images/test.json:2:14: IMAGE_FILE_MISSING: there is no file 'images/b.json'",
    ]);
    expect(problems(() => read({ ...minimal, extends: 7 }))).toEqual([
      "images/test.json:19:14: IMAGE_CONFIG_INVALID: 'extends' can't be 7",
    ]);
  });
});

describe('bad input', () => {
  it.each<[string, unknown, string[]]>([
    ['an empty file', '', ['images/test.json:1: JSON_MALFORMED: this is not JSON: the file is empty']],
    [
      'a comment',
      '// no\n{}',
      ["images/test.json:1:1: JSON_MALFORMED: this is not JSON: InvalidCommentToken at '// no'"],
    ],
    [
      'a trailing comma',
      '{\n"a": 1,\n}',
      ["images/test.json:3:1: JSON_MALFORMED: this is not JSON: PropertyNameExpected at '}'"],
    ],
    [
      'a member twice',
      '{"a": 1,\n "a": 2}',
      ["images/test.json:2:2: JSON_MALFORMED: this is not JSON: the member 'a' stands there twice"],
    ],
    [
      'another value',
      '[]',
      ['images/test.json:1:1: IMAGE_CONFIG_INVALID: the definition must be of type object, found []'],
    ],
    ['nothing', '{}', ["images/test.json:1:1: IMAGE_CONFIG_INVALID: the definition needs the member 'SystemConfigs'"]],
    [
      'all slips at once, in the order of the text',
      '{"Disks": [{"Artifacts": [{"Type": "tar.gx"}]}],\n "SystemConfigs": [{"Name": "One",\n "Pakages": ["a"], "RemoveRpmDb": "yes",\n "Container": {"WorkingDir": "a"}}]}',
      [
        "images/test.json:1:36: IMAGE_CONFIG_INVALID: 'Type' can't be \"tar.gx\"; did you mean 'tar.gz'?",
        "images/test.json:3:2: IMAGE_CONFIG_INVALID: 'SystemConfigs' has no member 'Pakages'; did you mean 'Packages'?",
        'images/test.json:3:35: IMAGE_CONFIG_INVALID: \'RemoveRpmDb\' must be of type boolean, found "yes"',
        "images/test.json:4:30: IMAGE_CONFIG_INVALID: 'WorkingDir' can't be \"a\": it must match ^/",
      ],
    ],
    [
      'an artifact name that is a path',
      { ...minimal, Disks: [{ Artifacts: [{ Type: 'oci', Name: '../x' }] }] },
      [
        "images/test.json:7:19: IMAGE_CONFIG_INVALID: 'Name' can't be \"../x\": it must match ^[A-Za-z0-9][A-Za-z0-9._+-]*$",
      ],
    ],
    [
      'two artifacts of one name',
      { ...minimal, Disks: [{ Artifacts: [{ Type: 'oci' }, { Type: 'oci' }] }] },
      ["images/test.json:8:9: IMAGE_CONFIG_INVALID: two artifacts are called 'test.oci.tar'"],
    ],
    [
      'no artifacts',
      { SystemConfigs: minimal.SystemConfigs },
      [
        "images/test.json:1:1: IMAGE_FEATURE_UNSUPPORTED: it makes nothing: 'Disks' has no 'Artifacts'; it has one system, and no 'TargetDisk' to install it on",
      ],
    ],
    [
      'a package that is none',
      { ...minimal, SystemConfigs: [{ Name: 'One', Packages: ['a b', '(a or b)'] }] },
      [
        "images/test.json:15:9: IMAGE_CONFIG_INVALID: 'a b' is neither a package name nor 'name op version'",
        "images/test.json:16:9: IMAGE_CONFIG_INVALID: '(a or b)' is neither a package name nor 'name op version'",
      ],
    ],
  ])('%s', (_, content, expected) => {
    expect(problems(() => read(content))).toEqual(expected);
  });

  it('says honestly what is known and not built', () => {
    const config = {
      Disks: [{ Artifacts: [{ Type: 'diff' }] }],
      SystemConfigs: [
        {
          Name: 'One',
          Packages: ['a'],
          PreserveTdnfCache: true,
          Encryption: { Enable: true, Password: 'p' },
          KernelCommandLine: {},
        },
        { Name: 'Two', Packages: ['b'] },
      ],
    };
    expect(problems(() => read(config)).sort()).toEqual([
      "images/test.json:17:7: IMAGE_FEATURE_UNSUPPORTED: 'PreserveTdnfCache' is known but not built: packages are installed by rpm alone, which leaves no cache",
      "images/test.json:18:7: IMAGE_FEATURE_UNSUPPORTED: 'Encryption' is known but not built: nothing here could open such a root: there is neither an initial RAM disk nor cryptsetup",
      "images/test.json:24:5: IMAGE_FEATURE_UNSUPPORTED: more than one entry of 'SystemConfigs' is not built yet",
      "images/test.json:6:19: IMAGE_FEATURE_UNSUPPORTED: artifacts of type 'diff' are not built yet",
    ]);
  });
});

it.each(Object.entries(editorSchemas()))("the editors' schema file %s is the schema", (name, schema) => {
  expect(JSON.parse(readFileSync(join(import.meta.dirname, '..', name), 'utf8'))).toEqual(schema);
});
