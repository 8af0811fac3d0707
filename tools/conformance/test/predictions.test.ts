import { expect, test } from 'vitest';
import { parseDependency } from '@kiln/rpm-package';
import { checkPredictions } from '../predictions-report.ts';

type Packages = Parameters<typeof checkPredictions>[0]['packages'];

const packages = [
  {
    id: 'zlib/zlib',
    sourcePackage: {
      name: 'zlib',
      buildRequires: [],
      packages: ['zlib', 'zlib-devel'].map((name) => ({ name, built: true, requires: [] })),
      packagedPaths: { 'zlib-devel': ['/usr/lib/pkgconfig/zlib.pc'] },
    },
  },
  {
    id: 'user/user',
    sourcePackage: {
      name: 'user',
      buildRequires: ['pkgconfig(zlib) >= 1', 'perl(User)', 'gcc'].map(parseDependency),
      packages: [{ name: 'perl-User', built: true, requires: [] }],
    },
  },
] as unknown as Packages;

test('predictions are right when the RPM of the predicted package has the capability', () => {
  const rpm = (name: string, ...provides: string[]) => ({ name, provides: new Set(provides), requires: [] });
  expect(checkPredictions({ packages }, [rpm('zlib-devel', 'pkgconfig(zlib)')])).toMatchObject({
    asked: 2,
    predicted: 2,
    checked: 1,
    right: 1,
    wrong: [],
  });
  expect(checkPredictions({ packages }, [rpm('zlib-devel'), rpm('perl-User', 'perl(User)')])).toMatchObject({
    checked: 2,
    right: 1,
    rules: { path: [0, 1], name: [1, 1] },
    wrong: [{ capability: 'pkgconfig(zlib)' }],
  });
});
