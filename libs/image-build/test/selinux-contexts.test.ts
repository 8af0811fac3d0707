import { BuildError } from '@kiln/diagnostics';
import { describe, expect, it } from 'vitest';
import { SelinuxContexts, type ContextFiles, type FileType } from '../src/selinux-contexts.ts';

/** A policy of our own, small as it is. */
const POLICY = `
# everything
/.*                     system_u:object_r:default_t:s0
/                  -d   system_u:object_r:root_t:s0
/etc(/.*)?              system_u:object_r:etc_t:s0
/etc/.*\\.key      --   system_u:object_r:key_t:s0
/etc/shadow        --   system_u:object_r:shadow_t:s0
/usr/s?bin(/.*)?        system_u:object_r:bin_t:s0
/usr/lib/[^/]+\\.so(\\.[0-9]+)* --  system_u:object_r:lib_t:s0
/home/[[:alnum:]_-]+ -d user_u:object_r:home_dir_t:s0
/run(/.*)?              <<none>>
/dev/null          -c   system_u:object_r:null_device_t:s0
/opt/one\\.two     --   system_u:object_r:exact_t:s0
/opt/.*            --   system_u:object_r:opt_t:s0
/mnt/a/?           -d   system_u:object_r:optional_t:s0
/mnt/x\\.d/y+/z     --   system_u:object_r:deep_t:s0
/alpha/a|/beta/b        system_u:object_r:either_t:s0
/mnt/b\\d             system_u:object_r:digit_t:s0
/srv/é/.           --   system_u:object_r:one_byte_t:s0
`;

function contexts(more: Partial<ContextFiles> = {}): SelinuxContexts {
  return new SelinuxContexts({ contexts: [{ file: 'file_contexts', text: POLICY }], ...more });
}

describe('SelinuxContexts', () => {
  it.each<[string, FileType, string | undefined]>([
    ['/', 'd', 'root_t'],
    ['/anything', 'f', 'default_t'],
    ['/etc', 'd', 'etc_t'],
    ['/etc/a', 'l', 'etc_t'],
    ['/etc/ssl/a.key', 'f', 'key_t'],
    ['/etc/ssl/a.key', 'd', 'etc_t'],
    ['/etc/ssl/axkey', 'f', 'etc_t'],
    ['/etc/shadow', 'f', 'shadow_t'],
    ['/etc/shadow-', 'f', 'etc_t'],
    ['/usr/bin/a', 'f', 'bin_t'],
    ['/usr/sbin', 'd', 'bin_t'],
    ['/usr/lib/liba.so.1.2', 'f', 'lib_t'],
    ['/usr/lib/x/liba.so', 'f', 'default_t'],
    ['/home/me_1', 'd', 'home_dir_t'],
    ['/home/me/x', 'd', 'default_t'],
    ['/run/x', 'f', undefined],
    ['/dev/null', 'c', 'null_device_t'],
    ['/dev/null', 'f', 'default_t'],
    ['/opt/one.two', 'f', 'exact_t'],
    ['/opt/one two\nthree', 'f', 'opt_t'],
    ['//etc///shadow', 'f', 'shadow_t'],
    ['/etc/', 'd', 'etc_t'],
    ['/mnt/a', 'd', 'optional_t'],
    ['/mnt/x.d/yy/z', 'f', 'deep_t'],
    ['/mnt/b7', 'f', 'digit_t'],
    ['/alpha/a', 'f', 'either_t'],
    ['/beta/b', 'f', 'either_t'],
    ['/srv/é/a', 'f', 'one_byte_t'],
    ['/srv/é/é', 'f', 'default_t'],
  ])('%s of type %s is %s', (path, type, expected) => {
    expect(contexts().labelOf(path, type)?.split(':')[2]).toBe(expected);
  });

  it('lets later files win, and those without wildcards over all', () => {
    const local = { file: 'file_contexts.local', text: '/etc/.* system_u:object_r:local_t:s0\n' };
    const both = contexts({ contexts: [{ file: 'file_contexts', text: POLICY }, local] });
    expect(both.labelOf('/etc/a.key', 'f')).toBe('system_u:object_r:local_t:s0');
    expect(both.labelOf('/etc/shadow', 'f')).toBe('system_u:object_r:shadow_t:s0');
  });

  it('takes paths for others, first the own and then those of the distribution', () => {
    const replaced = contexts({
      subs: { file: 'subs', text: '/data /srv2\n/other /\n' },
      distSubs: { file: 'subs_dist', text: '/srv2 /etc\n/bin /usr/bin\n' },
    });
    expect(replaced.labelOf('/data/shadow', 'f')).toContain(':shadow_t:');
    expect(replaced.labelOf('/bin/a', 'f')).toContain(':bin_t:');
    expect(replaced.labelOf('/binary', 'f')).toContain(':default_t:');
    expect(replaced.labelOf('/other', 'd')).toContain(':root_t:');
    expect(replaced.labelOf('/other/etc/shadow', 'f')).toContain(':shadow_t:');
  });

  it.each<[string, string]>([
    ['/a', 'a line has two or three words, not 1'],
    ['/a -x system_u:object_r:a_t', "'-x' is no type of files"],
    ['/a nothing', "'nothing' is no label"],
    [
      '/a( system_u:object_r:a_t:s0',
      "'/a(' is no regular expression: Invalid regular expression: /^(?:/a()$/s: Unterminated group",
    ],
    ['/a*+ system_u:object_r:a_t:s0', "the expression '/a*+' has something that only PCRE knows"],
    ['/(?i)a system_u:object_r:a_t:s0', "the expression '/(?i)a' has something that only PCRE knows"],
    ['/[[:punct:]] system_u:object_r:a_t:s0', "the expression '/[[:punct:]]' has something that only PCRE knows"],
  ])('refuses %s', (line, expected) => {
    try {
      contexts({ contexts: [{ file: 'file_contexts', text: `# one\n${line}\n` }] });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BuildError);
      expect(error).toMatchObject({ code: 'SELINUX_CONTEXTS_INVALID', message: expected, location: { line: 2 } });
    }
  });
});
