import { expect, test } from 'vitest';
import { filesSections, predictProvides } from '@kiln/package-graph';

const expanded = `
Name: gtk
%description
/usr/lib/pkgconfig/not-a-file.pc
%files
%license COPYING
%{_bindir}/*
%files devel -f list
%dir /usr/include/gtk
%attr(0644,root,root) /usr/lib/pkgconfig/gtk+-3.0.pc
%exclude /usr/lib/pkgconfig/excluded.pc
%files -n libother
%doc "/usr/share/other"
# /usr/share/comment
%changelog
/usr/share/not-here
`;

test('paths of the sections by package, without directives, exclusions and comments', () => {
  expect([...filesSections(expanded, 'gtk')]).toEqual([
    ['gtk', ['%{_bindir}/*']],
    ['gtk-devel', ['/usr/include/gtk', '/usr/lib/pkgconfig/gtk+-3.0.pc']],
    ['libother', ['/usr/share/other']],
  ]);
});

const pack = (name: string, files: string[] = [], origin = name) => ({ name, origin, sourceName: origin, files });

test.each([
  ['pkgconfig(gtk+-3.0)', 'gtk-devel', 'path'],
  ['pkgconfig(xcb-randr)', 'libxcb-devel', 'glob'],
  ['pkgconfig(zlib)', 'zlib-devel', 'name'],
  ['perl(URI)', 'perl-URI', 'name'],
  ['perl(URI::Escape)', 'perl-URI', 'name of the distribution'],
  ['perl(Text::Glob)', 'perl-Other', 'path'],
  ['python3dist(jinja2)', 'python3-jinja2', 'name'],
  ['python3dist(pytest-flakes)', 'python3-flakes', 'path'],
  ['/usr/bin/make', 'make', 'path'],
])('%s from %s by %s', (capability, name, rule) => {
  const packages = [
    pack('gtk-devel', ['/usr/lib/pkgconfig/gtk+-3.0.pc']),
    pack('libxcb-devel', ['/usr/lib/pkgconfig/xcb-*.pc']),
    pack('zlib-devel', ['/usr/lib/pkgconfig/*.pc'], 'zlib'),
    pack('zlib-debuginfo', ['/usr/lib/pkgconfig/zlib.pc'], 'zlib'),
    pack('perl-URI'),
    pack('perl-Other', ['/usr/share/perl5/vendor_perl/Text/Glob.pm']),
    pack('python3-jinja2'),
    pack('python3-flakes', ['/usr/lib/python3.12/site-packages/pytest_flakes-*.dist-info/']),
    pack('make', ['/usr/bin/make']),
  ];
  expect(predictProvides(packages, [capability])).toMatchObject([{ capability, package: name, rule }]);
});

test('nothing is predicted without evidence', () => {
  expect(predictProvides([pack('make', ['/usr/bin/*'])], ['pkgconfig(make2)', 'java-devel', 'font(lato)'])).toEqual([]);
});
