import { expect, test } from 'vitest';
import { stemOf } from '../src/package-stem.ts';

test.each([
  ['glib2-devel', 'libglib2.0-dev'],
  ['libusb1-devel', 'libusb-1.0-0-dev'],
  ['libgudev1-devel', 'libgudev-1.0-dev'],
  ['lua-devel', 'liblua5.4-dev'],
  ['alsa-lib-devel', 'libalsa-dev'],
  ['ocaml-react-devel', 'libreact-ocaml-dev'],
  ['perl-Foo-Bar', 'libfoo-bar-perl'],
  ['rubygem-ffi', 'ruby-ffi'],
])('%s and %s are about the same', (rpm, debian) => {
  const [a, b] = [stemOf(rpm), stemOf(debian)];
  expect([a.stem, a.kind]).toEqual([b.stem, b.kind]);
});

test.each([
  ['zlib', 'z3'],
  ['gtk3-devel', 'libgtk-3-0'],
  ['python3-yaml', 'libyaml'],
  ['perl-URI', 'ruby-uri'],
])('%s and %s are not', (rpm, debian) => {
  expect(stemOf(rpm)).not.toEqual({ ...stemOf(debian), version: stemOf(rpm).version });
});

test('numbers at the end are a version', () => {
  expect(stemOf('libusb-1.0-0-dev')).toEqual({ stem: 'usb', kind: 'devel', version: '1.0-0' });
  expect(stemOf('bzip2')).toEqual({ stem: 'bzip', kind: 'main', version: '2' });
});
