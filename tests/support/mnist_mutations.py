"""Ways to spoil a file: for the fuzzing of the readers.

Each mutation is a function ``(data, rng, others) -> bytes``, where `others` are sound files of the
other formats.
"""

import gzip
import io
import re
import struct
import zipfile
import zlib

INTERESTING = (0, 1, 2, 3, 28, 784, 70_000, 70_001, 0x801, 0x803, 2**31 - 1, 2**31, 2**32 - 1)
ZEROS = bytes(1 << 20)


def flip_bits(data, rng, others):
    changed = bytearray(data)
    for at in rng.integers(0, len(data), rng.integers(1, 9)):
        changed[at] ^= 1 << rng.integers(8)
    return bytes(changed)


def flip_bits_of_the_header(data, rng, others):
    return flip_bits(data[:64], rng, others) + data[64:]


def truncate(data, rng, others):
    return data[: rng.integers(1, max(2, len(data)))]


def cut_out(data, rng, others):
    start, stop = sorted(rng.integers(0, len(data), 2))
    return data[:start] + data[stop:] or b"\0"


def repeat(data, rng, others):
    start, stop = sorted(rng.integers(0, len(data), 2))
    return data[:stop] + data[start:stop] * int(rng.integers(1, 4)) + data[stop:]


def insert(data, rng, others):
    at = rng.integers(0, len(data))
    return data[:at] + rng.bytes(rng.integers(1, 40)) + data[at:]


def append(data, rng, others):
    return data + (rng.bytes(rng.integers(1, 40)) if rng.random() < 0.5 else bytes(20))


def splice(data, rng, others):
    """Put the beginning of another format before the end of this one."""
    other = others[rng.integers(len(others))]
    return other[: rng.integers(1, min(len(other), 400))] + data[rng.integers(0, len(data)) :]


def lie_about_a_length(data, rng, others):
    order = "<>"[rng.integers(2)]
    number = struct.pack(f"{order}I", INTERESTING[rng.integers(len(INTERESTING))])
    at = rng.integers(0, min(len(data), 64)) if rng.random() < 0.7 else rng.integers(0, len(data))
    return data[:at] + number + data[at + 4 :]


def nest_gzip(data, rng, others):
    for _ in range(rng.integers(1, 4)):
        data = gzip.compress(data, 1)
    return data


def join_gzip_members(data, rng, others):
    half = rng.integers(0, len(data))
    return gzip.compress(data[:half], 1) + gzip.compress(data[half:], 1)


def inflate(data, rng, others):
    """Make a gzip bomb of a file."""
    return gzip.compress(data + ZEROS, 1)


def spoil_inside_gzip(data, rng, others):
    """Spoil what is compressed, so that the checksums of the outside remain right."""
    try:
        inside = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return flip_bits(data, rng, others)
    return gzip.compress(pick(ANY, rng)(inside, rng, others), 1)


ANY = (
    flip_bits,
    flip_bits_of_the_header,
    truncate,
    cut_out,
    repeat,
    insert,
    append,
    splice,
    lie_about_a_length,
)
GZIP = (nest_gzip, join_gzip_members, inflate, spoil_inside_gzip)


# ---- zip archives

CENTRAL = (4, 6, 8, 10, 16, 20, 24, 28, 30, 32, 34, 42)  # fields of a directory entry
LOCAL = (4, 6, 8, 14, 18, 22, 26, 28)  # fields of a member's own header
END = (4, 6, 8, 10, 12, 16, 20)  # fields of the record at the end


def lie_in_the_directory(data, rng, others):
    signature, fields = ((b"PK\1\2", CENTRAL), (b"PK\3\4", LOCAL), (b"PK\5\6", END))[
        rng.integers(3)
    ]
    places = [found.start() for found in re.finditer(re.escape(signature), data)]
    if not places:
        return flip_bits(data, rng, others)
    at = places[rng.integers(len(places))] + fields[rng.integers(len(fields))]
    value = struct.pack("<I", INTERESTING[rng.integers(len(INTERESTING))])
    width = 2 if rng.random() < 0.5 else 4
    return data[:at] + value[:width] + data[at + width :]


def add_a_comment(data, rng, others):
    comment = rng.bytes(rng.integers(1, 60))
    return data[:-2] + struct.pack("<H", len(comment)) + comment


def add_a_64_bit_directory(data, rng, others):
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, rng.integers(0, 2**40), 1)
    return data[:-22] + locator + data[-22:]


def rezip(change):
    """Return a mutation that unpacks the members, changes them, and packs them again."""

    def mutation(data, rng, others):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [(info.filename, archive.read(info)) for info in archive.infolist()]
        except Exception:  # spoiled before
            return flip_bits(data, rng, others)
        if not members:
            return data
        file = io.BytesIO()
        methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        method = methods[rng.choice(4, p=[0.48, 0.48, 0.02, 0.02])]
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in change(members, rng, others):
                archive.writestr(name, content)
        return file.getvalue()

    return mutation


def _change_one(members, rng, how):
    chosen = rng.integers(len(members))
    name, content = members[chosen]
    members[chosen] = how(name, content)
    return members


def _spoil(members, rng, others):
    return _change_one(
        members, rng, lambda name, content: (name, pick(ANY, rng)(content or b"\0", rng, others))
    )


def _double(members, rng, others):
    return [*members, members[rng.integers(len(members))]]


def _rename(members, rng, others):
    names = ("../x_train.npy", "/x_train.npy", "x_train", "", "x_train.npy/", "a\0b", "y_train.npy")
    return _change_one(
        members, rng, lambda name, content: (names[rng.integers(len(names))] or "-", content)
    )


def _inflate(members, rng, others):
    return _change_one(members, rng, lambda name, content: (name, content + ZEROS))


HEADERS = (
    "{'descr': '|O', 'fortran_order': False, 'shape': (6,), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (70000, 28, 28), }",
    "{'descr': '|u1', 'fortran_order': True, 'shape': (6, 28, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-6, 28, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (True, 784), }",
    "{'descr': '<i8', 'fortran_order': False, 'shape': (6L,), }",
    "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (6,), }",
    "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (6,), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1e3,), }",
    "{'descr': '|u1', 'shape': (6,), }",
    "{'descr': '99999999999V', 'fortran_order': False, 'shape': (6,), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': ()}",
    "__import__('os').abort()",
    "-" * 400,
    "(" * 400,
    "[1,\n",
    "{'a': \x00}",
    "'''",
    "  1",
    "",
)


def _lie_in_the_header(members, rng, others):
    def how(name, content):
        text = HEADERS[rng.integers(len(HEADERS))].encode("latin-1")
        version = (b"\1\0", b"\1\0", b"\2\0", b"\3\0")[rng.integers(4)]
        length = struct.pack("<H" if version == b"\1\0" else "<I", len(text))
        return name, b"\x93NUMPY" + version + length + text + content[128:]

    return _change_one(members, rng, how)


def _pickle(members, rng, others):
    # A pickle that would call os.mkdir("opened").
    return _change_one(members, rng, lambda name, content: (name, b"cos\nmkdir\n(S'opened'\ntR."))


def _nest(members, rng, others):
    return _change_one(members, rng, lambda name, content: (name, others[0]))


ZIP = (
    lie_in_the_directory,
    lie_in_the_directory,
    add_a_comment,
    add_a_64_bit_directory,
    *map(rezip, (_spoil, _spoil, _double, _rename, _inflate, _lie_in_the_header, _pickle, _nest)),
)


# ---- CSV


def change_a_value(data, rng, others):
    values = (
        "x",
        "",
        "-1",
        "256",
        "1.5",
        "1e3",
        "nan",
        "9" * 5000,
        "\u0663",
        "\0",
        '"',
        "\r",
        " 1",
    )
    lines = data.split(b"\n")
    line = rng.integers(len(lines))
    cells = lines[line].split(b",")
    cells[rng.integers(len(cells))] = values[rng.integers(len(values))].encode()
    lines[line] = b",".join(cells)
    return b"\n".join(lines)


def change_the_columns(data, rng, others):
    lines = data.split(b"\n")
    line = rng.integers(len(lines))
    lines[line] = lines[line] + b",0" if rng.random() < 0.5 else lines[line].rpartition(b",")[0]
    return b"\n".join(lines)


def change_the_lines(data, rng, others):
    at = data.find(b"\n", int(rng.integers(len(data))))
    replacement = (b"", b"\r", b"\n\n", b"\r\n", b"\n" + b"1" * 30_000 + b"\n", b"\0")
    return data[:at] + replacement[rng.integers(6)] + data[at + 1 :]


CSV = (change_a_value, change_the_columns, change_the_lines)


def pick(mutations, rng):
    return mutations[rng.integers(len(mutations))]
