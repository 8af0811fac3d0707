/*
 * Gives the source files of a program's debug information other names, and tells which ones those are.
 *
 *   edit-debug-paths [-s <seed>] <base> <destination> <file>
 *
 * Every path below <base> becomes one below <destination>, in the units of .debug_info and in the tables of .debug_line, which
 * must be of DWARF 5. The texts are added to the end of the tables of strings; offsets that named the old ones name the new
 * ones. With a seed the build-id becomes another one, always the same for the same seed.
 *
 * Output: the source files below <base>, relative to it, each with a NUL after it. Status 2: the file has no build-id.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <gelf.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* DWARF 5, sections 7.5.1, 7.5.4, 7.5.6 and 7.22 */
enum { DW_UT_type = 2, DW_UT_skeleton = 4, DW_UT_split_compile = 5, DW_UT_split_type = 6 };
enum { DW_AT_name = 0x03, DW_AT_comp_dir = 0x1b };
enum { DW_LNCT_path = 1, DW_LNCT_directory_index = 2 };
enum {
    DW_FORM_addr = 0x01, DW_FORM_block2 = 0x03, DW_FORM_block4 = 0x04, DW_FORM_data2 = 0x05, DW_FORM_data4 = 0x06,
    DW_FORM_data8 = 0x07, DW_FORM_string = 0x08, DW_FORM_block = 0x09, DW_FORM_block1 = 0x0a, DW_FORM_data1 = 0x0b,
    DW_FORM_flag = 0x0c, DW_FORM_sdata = 0x0d, DW_FORM_strp = 0x0e, DW_FORM_udata = 0x0f, DW_FORM_ref_addr = 0x10,
    DW_FORM_ref1 = 0x11, DW_FORM_ref2 = 0x12, DW_FORM_ref4 = 0x13, DW_FORM_ref8 = 0x14, DW_FORM_ref_udata = 0x15,
    DW_FORM_sec_offset = 0x17, DW_FORM_exprloc = 0x18, DW_FORM_flag_present = 0x19, DW_FORM_strx = 0x1a,
    DW_FORM_addrx = 0x1b, DW_FORM_strp_sup = 0x1d, DW_FORM_data16 = 0x1e, DW_FORM_line_strp = 0x1f,
    DW_FORM_ref_sig8 = 0x20, DW_FORM_implicit_const = 0x21, DW_FORM_loclistx = 0x22, DW_FORM_rnglistx = 0x23,
    DW_FORM_strx1 = 0x25, DW_FORM_strx2 = 0x26, DW_FORM_strx3 = 0x27, DW_FORM_strx4 = 0x28,
    DW_FORM_addrx1 = 0x29, DW_FORM_addrx2 = 0x2a, DW_FORM_addrx3 = 0x2b, DW_FORM_addrx4 = 0x2c,
    DW_FORM_GNU_strp_alt = 0x1f21
};

/* A section, and what is to be added to its end. */
struct section {
    const char *name;
    Elf_Scn *scn;
    Elf_Data *data;
    char *added;
    size_t added_size, added_room;
    /* Tree of struct renamed: texts that were renamed before. */
    void *renamed;
};

struct renamed {
    uint64_t from, to;
};

static const char *file, *base, *destination;
static bool is_big_endian;
static struct section info = { .name = ".debug_info" }, abbrev = { .name = ".debug_abbrev" },
    line = { .name = ".debug_line" }, str = { .name = ".debug_str" }, line_str = { .name = ".debug_line_str" };

/* A place in a section; the end is that of the unit. */
struct cursor {
    unsigned char *at, *end;
    unsigned address_size, offset_size;
};

static unsigned char *take(struct cursor *cursor, uint64_t size)
{
    unsigned char *at = cursor->at;
    if (size > (uint64_t)(cursor->end - at)) errx(1, "%s: debug information is cut off", file);
    cursor->at += size;
    return at;
}

static uint64_t number(struct cursor *cursor, unsigned size)
{
    const unsigned char *bytes = take(cursor, size);
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) value = value << 8 | bytes[is_big_endian ? i : size - 1 - i];
    return value;
}

static uint64_t leb128(struct cursor *cursor)
{
    uint64_t value = 0;
    unsigned char byte = 0x80;
    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        byte = *take(cursor, 1);
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return value;
}

/* Sets the end and the size of offsets by the length that a unit begins with. */
static struct cursor unit(struct cursor *section)
{
    uint64_t length = number(section, 4);
    unsigned offset_size = 4;
    if (length == 0xffffffff) {
        length = number(section, 8);
        offset_size = 8;
    }
    unsigned char *at = take(section, length);
    return (struct cursor){ .at = at, .end = at + length, .offset_size = offset_size };
}

static struct cursor whole(const struct section *section)
{
    unsigned char *at = section->data == NULL ? NULL : section->data->d_buf;
    return (struct cursor){ .at = at, .end = at == NULL ? NULL : at + section->data->d_size };
}

/* The rest of a path after the base, or NULL when it isn't below it. */
static const char *below_base(const char *path)
{
    size_t length = strlen(base);
    if (strncmp(path, base, length) != 0 || (path[length] != '\0' && path[length] != '/')) return NULL;
    return path + length;
}

static int by_origin(const void *a, const void *b)
{
    uint64_t left = ((const struct renamed *)a)->from, right = ((const struct renamed *)b)->from;
    return left < right ? -1 : left > right;
}

static void *must(void *memory)
{
    if (memory == NULL) err(1, "memory");
    return memory;
}

static uint64_t add_text(struct section *strings, const char *rest)
{
    size_t size = strlen(destination) + strlen(rest) + 1;
    if (strings->added_size + size > strings->added_room) {
        strings->added_room = 2 * (strings->added_room + size);
        strings->added = must(realloc(strings->added, strings->added_room));
    }
    sprintf(strings->added + strings->added_size, "%s%s", destination, rest);
    uint64_t offset = strings->data->d_size + strings->added_size;
    strings->added_size += size;
    return offset;
}

static void put_offset(unsigned char *bytes, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++, value >>= 8) bytes[is_big_endian ? size - 1 - i : i] = (unsigned char)value;
}

/* Reads an offset into a table of strings, and lets it name the other text when that is another. Returns the old one. */
static const char *text(struct cursor *cursor, struct section *strings)
{
    unsigned char *place = cursor->at;
    uint64_t offset = number(cursor, cursor->offset_size);
    if (strings->data == NULL || offset >= strings->data->d_size) errx(1, "%s: a string outside of %s", file, strings->name);
    const char *old = (const char *)strings->data->d_buf + offset;
    if (memchr(old, '\0', strings->data->d_size - offset) == NULL) errx(1, "%s: a string without end", file);
    const char *rest = below_base(old);
    if (rest == NULL) return old;
    struct renamed *one = must(malloc(sizeof *one));
    *one = (struct renamed){ .from = offset };
    struct renamed *known = *(struct renamed **)must(tsearch(one, &strings->renamed, by_origin));
    if (known == one) one->to = add_text(strings, rest);
    else free(one);
    put_offset(place, cursor->offset_size, known->to);
    return old;
}

/* Passes a value, or renames it when it is a path. Returns a path's old text. */
static const char *value(struct cursor *cursor, uint64_t form, bool is_path)
{
    switch (form) {
    case DW_FORM_flag_present: case DW_FORM_implicit_const: return NULL;
    case DW_FORM_data1: case DW_FORM_flag: case DW_FORM_ref1: case DW_FORM_strx1: case DW_FORM_addrx1: take(cursor, 1); return NULL;
    case DW_FORM_data2: case DW_FORM_ref2: case DW_FORM_strx2: case DW_FORM_addrx2: take(cursor, 2); return NULL;
    case DW_FORM_strx3: case DW_FORM_addrx3: take(cursor, 3); return NULL;
    case DW_FORM_data4: case DW_FORM_ref4: case DW_FORM_strx4: case DW_FORM_addrx4: take(cursor, 4); return NULL;
    case DW_FORM_data8: case DW_FORM_ref8: case DW_FORM_ref_sig8: take(cursor, 8); return NULL;
    case DW_FORM_data16: take(cursor, 16); return NULL;
    case DW_FORM_addr: take(cursor, cursor->address_size); return NULL;
    case DW_FORM_sec_offset: case DW_FORM_ref_addr: case DW_FORM_strp_sup: case DW_FORM_GNU_strp_alt:
        take(cursor, cursor->offset_size);
        return NULL;
    case DW_FORM_udata: case DW_FORM_sdata: case DW_FORM_ref_udata: case DW_FORM_strx: case DW_FORM_addrx: case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
        leb128(cursor);
        return NULL;
    case DW_FORM_block1: take(cursor, number(cursor, 1)); return NULL;
    case DW_FORM_block2: take(cursor, number(cursor, 2)); return NULL;
    case DW_FORM_block4: take(cursor, number(cursor, 4)); return NULL;
    case DW_FORM_block: case DW_FORM_exprloc: take(cursor, leb128(cursor)); return NULL;
    case DW_FORM_string: {
        const char *here = (const char *)cursor->at;
        while (*take(cursor, 1) != '\0') continue;
        if (is_path && below_base(here) != NULL) warnx("%s: %s is not in a table of strings, and stays", file, here);
        return here;
    }
    case DW_FORM_strp: case DW_FORM_line_strp: {
        struct section *strings = form == DW_FORM_strp ? &str : &line_str;
        if (is_path) return text(cursor, strings);
        take(cursor, cursor->offset_size);
        return NULL;
    }
    default: errx(1, "%s: the form %#lx of an attribute is unknown", file, (unsigned long)form);
    }
}

/* The place of the attributes in the description of an entry. */
static struct cursor attributes(uint64_t offset, uint64_t code)
{
    struct cursor table = whole(&abbrev);
    take(&table, offset);
    for (uint64_t found; (found = leb128(&table)) != 0;) {
        leb128(&table);
        take(&table, 1);
        if (found == code) return table;
        for (;;) {
            uint64_t name = leb128(&table), form = leb128(&table);
            if (form == DW_FORM_implicit_const) leb128(&table);
            if (name == 0 && form == 0) break;
        }
    }
    errx(1, "%s: an entry without description", file);
}

/* The first entry of a unit says what was compiled, and in which directory. */
static void rename_unit(struct cursor entry)
{
    if (number(&entry, 2) != 5) return;
    uint64_t type = number(&entry, 1);
    entry.address_size = (unsigned)number(&entry, 1);
    uint64_t offset = number(&entry, entry.offset_size);
    if (type == DW_UT_skeleton || type == DW_UT_split_compile) take(&entry, 8);
    if (type == DW_UT_type || type == DW_UT_split_type) take(&entry, 8 + entry.offset_size);
    uint64_t code = leb128(&entry);
    if (code == 0) return;
    struct cursor description = attributes(offset, code);
    for (;;) {
        uint64_t name = leb128(&description), form = leb128(&description);
        if (form == DW_FORM_implicit_const) leb128(&description);
        if (name == 0 && form == 0) break;
        value(&entry, form, name == DW_AT_name || name == DW_AT_comp_dir);
    }
}

struct path {
    const char *text;
    uint64_t directory;
};

/* Directories or files of a line table: how their entries are written, their number, the entries. */
static struct path *paths(struct cursor *table, uint64_t *count)
{
    uint64_t kinds = number(table, 1), formats[256][2];
    for (uint64_t i = 0; i < kinds; i++) {
        formats[i][0] = leb128(table);
        formats[i][1] = leb128(table);
    }
    *count = leb128(table);
    if (*count > (uint64_t)(table->end - table->at)) errx(1, "%s: a line table with too many entries", file);
    struct path *list = must(calloc(*count + 1, sizeof *list));
    for (uint64_t i = 0; i < *count; i++) {
        for (uint64_t kind = 0; kind < kinds; kind++) {
            uint64_t content = formats[kind][0], form = formats[kind][1];
            struct cursor before = *table;
            const char *found = value(table, form, content == DW_LNCT_path);
            if (content == DW_LNCT_path) list[i].text = found;
            if (content != DW_LNCT_directory_index) continue;
            list[i].directory = form == DW_FORM_udata ? leb128(&before) : number(&before, (unsigned)(table->at - before.at));
        }
        if (list[i].text == NULL) errx(1, "%s: a line table with an entry that has no path", file);
    }
    return list;
}

/* Takes '.', '..' and empty parts out of an absolute path, in place. */
static void normalise(char *path)
{
    char *out = path;
    for (char *part = strtok(path, "/"); part != NULL; part = strtok(NULL, "/")) {
        if (strcmp(part, ".") == 0) continue;
        if (strcmp(part, "..") == 0) {
            while (out > path && *--out != '/') continue;
            continue;
        }
        size_t length = strlen(part);
        /* The slash before a part was read before it is written. */
        memmove(out + 1, part, length);
        *out = '/';
        out += length + 1;
    }
    *out = '\0';
}

static void print_source(const char *compiled_in, const char *directory, const char *name)
{
    bool is_absolute = *name == '/', is_below = *directory != '/';
    char *path;
    if (asprintf(&path, "/%s/%s/%s", is_absolute || !is_below ? "" : compiled_in, is_absolute ? "" : directory, name) < 0)
        err(1, "memory");
    normalise(path);
    const char *rest = below_base(path);
    if (rest != NULL && *rest == '/') fwrite(rest + 1, 1, strlen(rest), stdout);
    free(path);
}

static void rename_lines(struct cursor table)
{
    uint64_t version = number(&table, 2);
    if (version != 5) {
        warnx("%s: debug information of DWARF %u, whose paths stay", file, (unsigned)version);
        return;
    }
    table.address_size = (unsigned)number(&table, 1);
    take(&table, 1);
    take(&table, table.offset_size);
    take(&table, 5);
    take(&table, number(&table, 1) - 1);
    uint64_t directory_count, file_count;
    struct path *directories = paths(&table, &directory_count), *files = paths(&table, &file_count);
    for (uint64_t i = 0; i < file_count; i++) {
        if (files[i].directory >= directory_count) errx(1, "%s: a file in a directory that isn't listed", file);
        print_source(directories[0].text, directories[files[i].directory].text, files[i].text);
    }
    free(directories);
    free(files);
}

/* Whether there is one. */
static bool mix_build_id(Elf *elf, const char *seed)
{
    bool found = false;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(scn, &header) == NULL || header.sh_type != SHT_NOTE) continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        GElf_Nhdr note;
        size_t name, description;
        for (size_t at = 0; data != NULL && (at = gelf_getnote(data, at, &note, &name, &description)) > 0;) {
            if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || memcmp((char *)data->d_buf + name, "GNU", 4) != 0) continue;
            found = true;
            if (seed == NULL) continue;
            /* The linker's identifier is a digest already. FNV-1a makes a number of the seed, splitmix64 as many as are needed. */
            uint64_t state = 0xcbf29ce484222325;
            for (const char *c = seed; *c != '\0'; c++) state = (state ^ (unsigned char)*c) * 0x100000001b3;
            uint64_t mixed = 0;
            for (size_t i = 0; i < note.n_descsz; i++, mixed >>= 8) {
                if (i % 8 == 0) {
                    mixed = state += 0x9e3779b97f4a7c15;
                    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
                    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
                    mixed ^= mixed >> 31;
                }
                ((unsigned char *)data->d_buf)[description + i] ^= (unsigned char)mixed;
            }
            elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
        }
    }
    return found;
}

static void find_sections(Elf *elf)
{
    struct section *wanted[] = { &info, &abbrev, &line, &str, &line_str };
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0) errx(1, "%s: %s", file, elf_errmsg(-1));
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        GElf_Shdr header;
        const char *name = gelf_getshdr(scn, &header) == NULL ? NULL : elf_strptr(elf, names, header.sh_name);
        if (name == NULL) errx(1, "%s: %s", file, elf_errmsg(-1));
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            if (strcmp(name, wanted[i]->name) != 0) continue;
            if (header.sh_flags & SHF_COMPRESSED) errx(1, "%s: %s is compressed", file, name);
            wanted[i]->scn = scn;
            wanted[i]->data = must(elf_getdata(scn, NULL));
        }
    }
}

/* Sections that became longer move to the end of the file, with the table of all sections after them. */
static void write_file(Elf *elf)
{
    struct section *longer[] = { &str, &line_str };
    GElf_Ehdr header;
    uint64_t end = 0;
    if (gelf_getehdr(elf, &header) == NULL) errx(1, "%s: %s", file, elf_errmsg(-1));
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        GElf_Shdr one;
        if (gelf_getshdr(scn, &one) != NULL && one.sh_type != SHT_NOBITS && one.sh_offset + one.sh_size > end)
            end = one.sh_offset + one.sh_size;
    }
    for (size_t i = 0; i < 2; i++) {
        if (longer[i]->added_size == 0) continue;
        Elf_Data *data = longer[i]->data;
        char *all = must(malloc(data->d_size + longer[i]->added_size));
        memcpy(all, data->d_buf, data->d_size);
        memcpy(all + data->d_size, longer[i]->added, longer[i]->added_size);
        data->d_buf = all;
        data->d_size += longer[i]->added_size;
        elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
        GElf_Shdr one;
        gelf_getshdr(longer[i]->scn, &one);
        one.sh_offset = end;
        one.sh_size = data->d_size;
        end += one.sh_size;
        if (gelf_update_shdr(longer[i]->scn, &one) == 0) errx(1, "%s: %s", file, elf_errmsg(-1));
    }
    if (info.data != NULL) elf_flagdata(info.data, ELF_C_SET, ELF_F_DIRTY);
    if (line.data != NULL) elf_flagdata(line.data, ELF_C_SET, ELF_F_DIRTY);
    header.e_shoff = (end + 15) / 16 * 16;
    elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT);
    if (gelf_update_ehdr(elf, &header) == 0 || elf_update(elf, ELF_C_WRITE) < 0) errx(1, "%s: %s", file, elf_errmsg(-1));
}

int main(int argc, char **argv)
{
    const char *seed = NULL;
    int option;
    while ((option = getopt(argc, argv, "s:")) == 's') seed = optarg;
    if (option != -1 || argc - optind != 3) errx(1, "usage: edit-debug-paths [-s seed] base destination file");
    base = argv[optind];
    destination = argv[optind + 1];
    file = argv[optind + 2];
    elf_version(EV_CURRENT);
    int descriptor = open(file, O_RDWR);
    if (descriptor < 0) err(1, "%s", file);
    Elf *elf = elf_begin(descriptor, ELF_C_RDWR, NULL);
    GElf_Ehdr header;
    if (elf == NULL || gelf_getehdr(elf, &header) == NULL) errx(1, "%s: %s", file, elf_errmsg(-1));
    /* In object files, which modules of the kernel are too, the linker has not put in the offsets yet. */
    if (header.e_type == ET_REL) return 0;
    is_big_endian = header.e_ident[EI_DATA] == ELFDATA2MSB;
    find_sections(elf);
    struct cursor units = whole(&info), tables = whole(&line);
    while (units.at < units.end) rename_unit(unit(&units));
    while (tables.at < tables.end) rename_lines(unit(&tables));
    if (fflush(stdout) != 0) err(1, "output");
    bool has_build_id = mix_build_id(elf, seed);
    write_file(elf);
    elf_end(elf);
    if (close(descriptor) != 0) err(1, "%s", file);
    return has_build_id ? 0 : 2;
}
