/** A workspace that tries packages on those of Debian: its configuration, and the lock of what their specs ask for. */
import { loadDistribution, lockTreeRequirements, Session } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { writeDebianFull } from './write-debian-full.ts';

/** Reports in lines of text. */
export async function tryOnDebian(root: string, report: (line: string) => void): Promise<void> {
  report(`${writeDebianFull(root).join(', ')}: written`);
  const { file, lock } = await lockTreeRequirements(
    new Session(await loadDistribution(root, { isLocking: true }), createHost()),
  );
  report(`${file}: ${lock.answers.size} capabilities, Debian has nothing for ${lock.unanswered.length}`);
}
