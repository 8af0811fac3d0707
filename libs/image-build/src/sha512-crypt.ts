/** Password hashes of crypt(5)'s method 6, as `openssl passwd -6` makes them. */
import { createHash } from 'node:crypto';

const ROUNDS = 5000;
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SALT_LENGTH = 16;

/** Which bytes of the digest make each group of four characters, the most significant first. */
const GROUPS: readonly (readonly [number, number, number])[] = Array.from({ length: 21 }, (_, index) => {
  const triple = [index, index + 21, index + 42];
  const first = index % 3;
  return [triple[first]!, triple[(first + 1) % 3]!, triple[(first + 2) % 3]!] as const;
});

/**
 * A salt for an account. It doesn't depend on the password: whoever sees the hash sees the salt, and one that was made of the password could
 * be tried much faster than the hash.
 */
export function saltOf(...parts: readonly string[]): string {
  const digest = createHash('sha512').update(parts.join('\0')).digest();
  return [...digest.subarray(0, SALT_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** `$6$<salt>$<hash>`; the salt has at most 16 characters of crypt(5)'s alphabet. */
export function sha512Crypt(password: string, salt: string): string {
  const [key, seasoning] = [Buffer.from(password), Buffer.from(salt)];
  const other = digestOf(key, seasoning, key);
  const bits = [...key.length.toString(2)].reverse();
  let sum = digestOf(key, seasoning, repeated(other, key.length), ...bits.map((bit) => (bit === '1' ? other : key)));
  const keys = repeated(digestOf(...Array.from({ length: key.length }, () => key)), key.length);
  const salts = repeated(digestOf(...Array.from({ length: 16 + sum[0]! }, () => seasoning)), seasoning.length);
  for (let round = 0; round < ROUNDS; round += 1) {
    const isOdd = round % 2 === 1;
    sum = digestOf(
      isOdd ? keys : sum,
      ...(round % 3 === 0 ? [] : [salts]),
      ...(round % 7 === 0 ? [] : [keys]),
      isOdd ? sum : keys,
    );
  }
  return `$6$${salt}$${encode(sum)}`;
}

function digestOf(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The bytes again and again up to a length. */
function repeated(bytes: Uint8Array, length: number): Buffer {
  return Buffer.alloc(length, length === 0 ? undefined : bytes);
}

function encode(digest: Uint8Array): string {
  const groups = GROUPS.map(([high, middle, low]) => {
    const value = (digest[high]! << 16) | (digest[middle]! << 8) | digest[low]!;
    return characters(value, 4);
  });
  return `${groups.join('')}${characters(digest[63]!, 2)}`;
}

/** Six bits each, the least significant first. */
function characters(value: number, count: number): string {
  return Array.from({ length: count }, (_, index) => ALPHABET[(value >> (6 * index)) & 0x3f]).join('');
}
