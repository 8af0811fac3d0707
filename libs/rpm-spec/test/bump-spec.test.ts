import { expect, it } from 'vitest';
import { bumpSpec, evaluateSpec } from '@kiln/rpm-spec';

const HEAD = 'Name: x\nVersion: 1.0\n';
const TAIL = 'Summary: X\nLicense: MIT\n\n%description\nX.\n\n%files\n';
const entry = {
  time: Date.UTC(2026, 10, 5) / 1000,
  author: 'A Person <a@kiln.example>',
  messages: ['Rebuilt', 'For a reason'],
};
const bump = (text: string) => bumpSpec({ file: 'x.spec', text, defines: { dist: '.d1' } }, entry);
const lines = (text: string) => text.split('\n');

/** The lines that a bump takes out and puts in. */
function difference(before: string): { out: string[]; in: string[] } {
  const after = bump(before).text;
  const [old, now] = [lines(before), lines(after)];
  return { out: old.filter((line) => !now.includes(line)), in: now.filter((line) => !old.includes(line)) };
}

it.each([
  ['a number', 'Release: 9%{?dist}\n', ['Release: 10%{?dist}']],
  ['blanks and comments as they are', 'Release :\t1%{?dist}\n# Release: 1\n', ['Release :\t2%{?dist}']],
  ['a release before the first', 'Release: 0.3.rc1%{?dist}\n', ['Release: 0.4.rc1%{?dist}']],
  ['a macro of the spec', '%global baserelease 7\nRelease: %{baserelease}%{?dist}\n', ['%global baserelease 8']],
  ['a macro through another', '%define a 7\n%define b %{a}.2\nRelease: %b\n', ['%define a 8']],
  ['the branch that counts', '%if 0\nRelease: 1\n%else\nRelease: 5\n%endif\n', ['Release: 6']],
  ['a large number', 'Release: 20261105123456789\n', ['Release: 20261105123456790']],
])('raises %s, and nothing else', (_what, release, changed) => {
  expect(difference(`${HEAD}${release}${TAIL}`).in).toEqual(changed);
});

const DAY = '* Thu Nov 05 2026 A Person <a@kiln.example>';

it.each([
  ['with a dash', '* Mon Jun 01 2026 B <b@kiln.example> - 1.0-1\n- First\n', `${DAY} - 1.0-2`],
  ['without a dash', '* Mon Jun 01 2026 B <b@kiln.example> 1.0-1\n- First\n', `${DAY} 1.0-2`],
  ['without a version', '* Mon Jun 01 2026 B <b@kiln.example>\n- First\n', DAY],
  ['that is empty', '', `${DAY} - 1.0-2`],
])('adds an entry to a changelog %s', (_what, changelog, header) => {
  const before = `${HEAD}Release: 1%{?dist}\n${TAIL}\n%changelog\n${changelog}`;
  const { text, before: old, after } = bump(before);
  expect([old, after]).toEqual(['1.0-1.d1', '1.0-2.d1']);
  const tail = changelog === '' ? '' : `\n${changelog}`;
  expect(text.slice(text.indexOf('%changelog'))).toBe(`%changelog\n${header}\n- Rebuilt\n- For a reason\n${tail}`);
  const evaluated = evaluateSpec({ file: 'x.spec', text });
  expect(evaluated.diagnostics).toEqual([]);
  expect(evaluated.changelog[0]).toMatchObject({ text: '- Rebuilt\n- For a reason' });
});

it('never dates an entry before the newest one', () => {
  const text = `${HEAD}Release: 1\n${TAIL}\n%changelog\n* Tue Dec 01 2026 B <b@kiln.example> - 1.0-1\n- First\n`;
  expect(bump(text).text).toContain('* Tue Dec 01 2026 A Person');
});

it('keeps the epoch in the entry', () => {
  expect(bump(`Epoch: 2\n${HEAD}Release: 1%{?dist}\n${TAIL}\n%changelog\n`).text).toContain(' - 2:1.0-2\n');
});

it.each([
  ['is made by an unknown macro', 'Release: %{foreign}\n', 3],
  ['begins with letters', 'Release: rc1\n', 3],
  ['also decides the version', '%global n 3\nEpoch: %{n}\nRelease: %{n}\n', 3],
])('refuses a Release that %s', (_what, release, line) => {
  expect(() => bump(`${HEAD}${release}${TAIL}`)).toThrow(
    expect.objectContaining({ code: 'BUMP_UNCLEAR', location: { file: 'x.spec', line } }),
  );
});

it('refuses a spec that rpm would refuse', () => {
  expect(() => bump('Name: x\n')).toThrow(expect.objectContaining({ code: 'SPEC_UNUSABLE' }));
});
