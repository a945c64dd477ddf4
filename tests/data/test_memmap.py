"""Rows out of a file mapping: always those that the mapping shows, wherever they are read from."""

import gc
import os
import sys

import numpy as np
import pytest

from vae_tf1.data import memmap as mapped

N, D = 50, 7
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
INDICES = np.array([3, 4, 5, 40, 0, 49, 48, 3])


@pytest.fixture
def values():
    return np.random.default_rng(0).integers(0, 255, (N, D), dtype=np.uint8)


@pytest.fixture
def file(values, tmp_path):
    values.tofile(tmp_path / "a name with blanks")
    return tmp_path / "a name with blanks"


def from_file(array):
    return isinstance(mapped.reader(array), mapped._FileReader)


@linux
@pytest.mark.parametrize("dtype", ["u1", "?", "<f4", ">f8", "f2"])
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_rows_come_from_the_file(tmp_path, dtype, mode):
    values = np.random.default_rng(0).integers(0, 2, (N, D)).astype(dtype)
    with open(tmp_path / "x", "wb") as stream:
        stream.write(b"header")
        values.tofile(stream)
    array = np.memmap(tmp_path / "x", dtype, mode, offset=6, shape=(N, D))
    for some, expected in (
        (array, values),
        (array[7:], values[7:]),
        (array.reshape(-1, 14), values.reshape(-1, 14)),
    ):
        assert from_file(some)
        rows = mapped.reader(some)(INDICES % len(some))
        assert rows.dtype == values.dtype
        np.testing.assert_array_equal(rows, expected[INDICES % len(some)])


def test_what_is_written_to_the_mapping_is_read(file, values):
    array = np.memmap(file, np.uint8, "r+", shape=(N, D))
    read = mapped.reader(array)
    array[4] = 9
    np.testing.assert_array_equal(read(INDICES), array[INDICES])


@pytest.mark.parametrize(
    "view", [lambda x: x[::2], lambda x: x[::-1], lambda x: x[:, 1:], lambda x: x[:, ::-1]]
)
def test_a_view_that_is_not_one_piece_of_the_file(file, values, view):
    array = view(np.memmap(file, np.uint8, "r", shape=(N, D)))
    assert not from_file(array)
    indices = INDICES % len(array)
    np.testing.assert_array_equal(mapped.reader(array)(indices), view(values)[indices])


def test_a_private_mapping_is_read_as_it_was_changed(file):
    array = np.memmap(file, np.uint8, "c", shape=(N, D))
    array[:] = 9
    assert not from_file(array)
    np.testing.assert_array_equal(mapped.reader(array)(INDICES), np.full((len(INDICES), D), 9))
    assert (array == 9).all()


@pytest.mark.skipif(os.name == "nt", reason="a mapped file can be neither replaced nor deleted")
@pytest.mark.parametrize("replaced", [False, True])
def test_another_file_of_that_name_is_not_mistaken_for_it(file, values, replaced):
    array = np.memmap(file, np.uint8, "r", shape=(N, D))
    file.unlink()
    if replaced:
        np.zeros_like(values).tofile(file)
    assert not from_file(array)
    np.testing.assert_array_equal(mapped.reader(array)(INDICES), values[INDICES])


@linux
def test_a_renamed_file_is_still_the_same(file, values):
    array = np.memmap(file, np.uint8, "r", shape=(N, D))
    file.rename(file.with_name("another"))
    assert from_file(array)
    np.testing.assert_array_equal(mapped.reader(array)(INDICES), values[INDICES])


@linux
def test_a_file_that_was_cut_is_an_error_and_not_a_crash(file):
    array = np.memmap(file, np.uint8, "r", shape=(N, D))
    read = mapped.reader(array)
    os.truncate(file, 20 * D)
    with pytest.raises(OSError, match="shorter than it was"):
        read(INDICES)


@linux
def test_the_file_is_closed_with_its_reader(file):
    array = np.memmap(file, np.uint8, "r", shape=(N, D))
    before = len(os.listdir("/proc/self/fd"))
    read = mapped.reader(array)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del read
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_memory_that_no_file_is_behind_is_not_found():
    lines = [
        "00001000-00002000 rw-p 00000000 00:00 0 \n",
        "00002000-00003000 r--s 00010000 fd:00 7 /x\n",
    ]
    with pytest.raises(LookupError):
        mapped._mapping_at(0x1000, 16, lines)
    with pytest.raises(LookupError, match="0x2ff8"):
        mapped._mapping_at(0x2FF8, 16, lines)
    assert mapped._mapping_at(0x2010, 16, lines) == ("/x", 0x10010, (0xFD, 0, 7))
