import { expect, test } from 'vitest';
import { dlopenNotes, loadedLibraries } from '../loaded-libraries.ts';

const TYPE = 0x407c0c0a;

function note(text: string, owner = 'FDO\0', type = TYPE): Buffer {
  const [name, words] = [Buffer.from(owner), Buffer.from(`${text}\0`)].map(padded) as [Buffer, Buffer];
  const head = Buffer.alloc(12);
  [Buffer.byteLength(owner), text.length + 1, type].forEach((value, i) => head.writeUInt32LE(value, i * 4));
  return Buffer.concat([head, name, words]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** A little-endian 64-bit shared object with one section of content, and the names of its sections. */
function elfWith(section: string, content: Buffer): Buffer {
  const names = Buffer.from(`\0${section}\0.shstrtab\0`);
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  const table = 64 + content.length + names.length;
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(BigInt(table), 40);
  [64, 0, 0, 64, 3, 2].forEach((value, i) => header.writeUInt16LE(value, 52 + i * 2));
  const sections = [
    [0, 0, 0, 0],
    [1, 7, 64, content.length],
    [section.length + 2, 3, 64 + content.length, names.length],
  ].map(([name, type, offset, size]) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(name!, 0);
    entry.writeUInt32LE(type!, 4);
    entry.writeBigUInt64LE(BigInt(offset!), 24);
    entry.writeBigUInt64LE(BigInt(size!), 32);
    return entry;
  });
  return Buffer.concat([header, content, names, ...sections]);
}

test('all notes of a file are read, with the priority that counts when none is written', () => {
  const bytes = elfWith(
    '.note.dlopen',
    Buffer.concat([
      note('[{"feature":"kmod","description":"x","priority":"required","soname":["libkmod.so.2"]}]'),
      note('[{"soname":["liba.so.1","liba.so.0"]},{"priority":"suggested","soname":["libb.so.1"]}]'),
    ]),
  );
  expect(dlopenNotes(bytes)).toEqual([
    { feature: 'kmod', priority: 'required', sonames: ['libkmod.so.2'] },
    { priority: 'recommended', sonames: ['liba.so.1', 'liba.so.0'] },
    { priority: 'suggested', sonames: ['libb.so.1'] },
  ]);
});

test.each([
  ['another owner', elfWith('.note.dlopen', note('[{"soname":["liba.so.1"]}]', 'GNU\0'))],
  ['another type', elfWith('.note.dlopen', note('[{"soname":["liba.so.1"]}]', 'FDO\0', 1))],
  ['another section', elfWith('.note.other', note('[{"soname":["liba.so.1"]}]'))],
  ['no JSON', elfWith('.note.dlopen', note('[{"soname"'))],
  ['no list', elfWith('.note.dlopen', note('{"soname":["liba.so.1"]}'))],
  ['no ELF', note('[{"soname":["liba.so.1"]}]')],
])('%s is none', (_, bytes) => expect(dlopenNotes(bytes)).toEqual([]));

test('a library counts that is recommended by a note, or named', () => {
  const notes = note('[{"soname":["liba.so.1","liba.so.2"]},{"priority":"suggested","soname":["libb.so.1"]}]');
  const names = Buffer.from('\0libc+x.so.6.1\0libb.so.1\0liba.so.1\0libd.so\0xlibe.so.1\0libf.so.1 \0', 'latin1');
  expect(loadedLibraries(elfWith('.note.dlopen', Buffer.concat([padded(notes), names])))).toEqual([
    { sonames: ['liba.so.1', 'liba.so.2'], because: 'its note calls it recommended' },
    { sonames: ['libc+x.so.6.1'], because: 'it has the name' },
  ]);
  expect(loadedLibraries(names)).toEqual([]);
});
