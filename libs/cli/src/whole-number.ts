/** An option's value that counts something. */
import { InvalidArgumentError } from 'commander';

/** @throws InvalidArgumentError, which the command line reports. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above 0.');
  return value;
}
