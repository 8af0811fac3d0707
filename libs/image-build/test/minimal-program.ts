/** A program for UEFI that does nothing: headers and one section (Microsoft PE/COFF specification), with room for more. */
const [HEADERS, SECTION, FILE_ALIGNMENT, SECTION_ALIGNMENT] = [0x400, 0x200, 0x200, 0x1000];
const [DOS_SIZE, COFF_SIZE, OPTIONAL_SIZE] = [0x40, 24, 240];

export function minimalProgram(): Buffer {
  const file = Buffer.alloc(HEADERS + SECTION);
  file.write('MZ', 0);
  file.writeUInt32LE(DOS_SIZE, 0x3c);
  const coff = DOS_SIZE;
  file.write('PE\0\0', coff);
  file.writeUInt16LE(0x8664, coff + 4);
  file.writeUInt16LE(1, coff + 6);
  file.writeUInt16LE(OPTIONAL_SIZE, coff + 20);
  file.writeUInt16LE(0x2022, coff + 22);
  const optional = coff + COFF_SIZE;
  file.writeUInt16LE(0x20b, optional);
  file.writeUInt32LE(SECTION, optional + 4);
  file.writeUInt32LE(SECTION_ALIGNMENT, optional + 16);
  file.writeUInt32LE(SECTION_ALIGNMENT, optional + 20);
  file.writeUInt32LE(SECTION_ALIGNMENT, optional + 32);
  file.writeUInt32LE(FILE_ALIGNMENT, optional + 36);
  file.writeUInt32LE(2 * SECTION_ALIGNMENT, optional + 56);
  file.writeUInt32LE(HEADERS, optional + 60);
  // Starts from UEFI.
  file.writeUInt16LE(10, optional + 68);
  file.writeUInt32LE(16, optional + 108);
  const section = optional + OPTIONAL_SIZE;
  file.write('.text', section);
  file.writeUInt32LE(SECTION, section + 8);
  file.writeUInt32LE(SECTION_ALIGNMENT, section + 12);
  file.writeUInt32LE(SECTION, section + 16);
  file.writeUInt32LE(HEADERS, section + 20);
  file.writeUInt32LE(0x6000_0020, section + 36);
  // ret
  file[HEADERS] = 0xc3;
  return file;
}
