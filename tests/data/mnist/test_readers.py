"""Every format is read back bit for bit; every broken or hostile file is refused by name."""

import gzip
import io
import os
import pickle
import struct
import tempfile
import threading
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mnist_files import (
    CSV_HEADER,
    csv_lines,
    digits,
    idx_images,
    idx_labels,
    rewrite_zip,
    write_csv,
    write_idx,
    write_npz,
)
from support.work import calls

from vae_tf1.data.mnist import DataError, load_mnist


def load(path, split="train"):
    return load_mnist(path, split, quiet=True)


def assert_holds(mnist, pair):
    images, labels = pair
    assert mnist.images.dtype == mnist.labels.dtype == np.uint8
    np.testing.assert_array_equal(mnist.images, images)
    np.testing.assert_array_equal(mnist.labels, labels)


def refused(path, split="train"):
    """Return the complaint about `path`, which has to name the file."""
    with pytest.raises(DataError) as caught:
        load(path, split)
    assert isinstance(caught.value, ValueError)
    assert caught.value.path in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 900
    return str(caught.value)


# ---- what is sound is read as it is


@pytest.mark.parametrize("zipped", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("dot", ["-", "."])
def test_idx_folder(tmp_path, zipped, dot):
    content = write_idx(tmp_path, zipped=zipped, dot=dot)
    for split in ("train", "test"):
        mnist = load(tmp_path, split)
        assert_holds(mnist, content[split])
        assert (mnist.source.kind, mnist.source.path) == ("idx", tmp_path)
    both = [np.concatenate(arrays) for arrays in zip(*content.values(), strict=True)]
    assert_holds(load(tmp_path, "all"), both)


def test_idx_file_by_itself_finds_its_partner(tmp_path):
    content = write_idx(tmp_path)
    assert_holds(load(tmp_path / "train-images-idx3-ubyte.gz", None), content["train"])
    assert_holds(load(tmp_path / "t10k-labels-idx1-ubyte.gz", None), content["test"])
    assert "holds the test images" in refused(tmp_path / "t10k-images-idx3-ubyte.gz", "train")
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert "no t10k-labels file" in refused(tmp_path / "t10k-images-idx3-ubyte.gz", "test")


@pytest.mark.parametrize("compressed", [True, False])
def test_npz(tmp_path, compressed):
    content = write_npz(tmp_path / "mnist.npz", compressed=compressed)
    for split in ("train", "test"):
        for path in (tmp_path, tmp_path / "mnist.npz"):
            mnist = load(path, split)
            assert_holds(mnist, content[split])
            assert (mnist.source.kind, mnist.source.path) == ("npz", tmp_path / "mnist.npz")


@pytest.mark.parametrize("dtype", ["u1", "<i8", ">i4", "<u2"])
def test_npz_labels_of_any_integer_type(tmp_path, dtype):
    images, labels = digits()
    write_npz(tmp_path / "mnist.npz", y_train=labels.astype(dtype), x_train=images)
    assert_holds(load(tmp_path), (images, labels))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("header", [CSV_HEADER, "\ufeff" + CSV_HEADER], ids=["plain", "with BOM"])
def test_csv(tmp_path, end, header):
    images, labels = write_csv(tmp_path / "train.csv", end=end, header=header)
    for path in (tmp_path, tmp_path / "train.csv"):
        assert_holds(load(path, None), (images, labels))
        assert_holds(load(path, "all"), (images, labels))


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_any_bytes_survive_every_format(n, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 784)).astype(np.uint8)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "train-images-idx3-ubyte").write_bytes(idx_images(images))
        (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_labels(labels)))
        np.savez(folder / "mnist.npz", x_train=images, y_train=labels)
        (folder / "train.csv").write_text("\n".join([CSV_HEADER, *csv_lines(images, labels)]))
        for path in (folder, folder / "mnist.npz", folder / "train.csv"):
            assert_holds(load(path, None), (images, labels))


def test_csv_without_a_last_newline(tmp_path):
    pair = write_csv(tmp_path / "train.csv")
    (tmp_path / "train.csv").write_bytes((tmp_path / "train.csv").read_bytes().rstrip())
    assert_holds(load(tmp_path, None), pair)


def test_csv_keeps_its_last_sixth_for_the_test(tmp_path):
    images, labels = write_csv(tmp_path / "train.csv", n=42)
    assert_holds(load(tmp_path, "train"), (images[:35], labels[:35]))
    assert_holds(load(tmp_path, "test"), (images[35:], labels[35:]))
    write_csv(tmp_path / "train.csv", n=5)
    assert "too few" in refused(tmp_path, "test")


def test_a_file_is_known_by_its_content_not_its_name(tmp_path):
    pair = write_csv(tmp_path / "mnist.dat")
    assert_holds(load(tmp_path / "mnist.dat", None), pair)
    content = write_npz(tmp_path / "a.npz")
    (tmp_path / "a.npz").rename(tmp_path / "train.txt")
    assert_holds(load(tmp_path / "train.txt"), content["train"])


# ---- what is not sound is refused, by name


def test_missing(tmp_path):
    assert "no such file" in refused(tmp_path / "nothing")
    complaint = refused(tmp_path)
    assert "no MNIST in this folder" in complaint
    assert "train.csv" in complaint
    write_idx(tmp_path, splits=("train",))
    assert "t10k" in refused(tmp_path, "test")


def test_empty_file(tmp_path):
    (tmp_path / "train.csv").touch()
    assert "empty" in refused(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    caught = []
    reader = threading.Thread(target=lambda: caught.append(refused(tmp_path / "pipe")), daemon=True)
    reader.start()
    reader.join(5)
    assert caught
    assert "not a regular file" in caught[0]


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero here")
def test_a_device_is_refused():
    assert "not a regular file" in refused("/dev/zero")


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_disk_that_fails_is_told_in_one_sentence(tmp_path, monkeypatch, split):
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() + size > 400:
                raise OSError(5, "Input/output error")
            return super().read(size)

        readline = read

    write_idx(tmp_path / "zipped")
    write_idx(tmp_path / "plain", zipped=False)
    write_npz(tmp_path / "npz" / "mnist.npz")
    write_csv(tmp_path / "csv" / "train.csv")
    content = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(Path, "open", lambda path, mode: Failing(content[path]))
    for folder in tmp_path.iterdir():
        assert "Input/output error" in refused(folder, split)


IMAGES, LABELS = digits(6)


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        (idx_images(IMAGES, magic=0x802), None, "0x00000802"),
        (idx_images(IMAGES, magic=0x801), None, "holds labels, not images"),
        (None, idx_labels(LABELS, magic=0x803), "holds images, not labels"),
        (b"\0\0", None, "begins with 0x0000"),
        (idx_images(IMAGES)[:11], None, "ends inside the header"),
        (idx_images(IMAGES, rows=32, columns=32), None, "32 x 32"),
        (idx_images(IMAGES, rows=14, columns=56), None, "14 x 56"),
        (idx_images(IMAGES, count=0), None, "claims 0 images; 1 to 70,000 are"),
        (idx_images(IMAGES, count=7), None, "ends after 6"),
        (idx_images(IMAGES, count=5), None, "more data follows"),
        (idx_images(IMAGES, count=2**32 - 1), None, "claims 4,294,967,295 images; 1 to"),
        (idx_images(IMAGES, count=70_000), None, "ends after 6"),
        (idx_images(IMAGES)[:-1], None, "ends after 5"),
        (idx_images(IMAGES) + b"\0", None, "more data follows"),
        (None, idx_labels(LABELS[:5]), "5 labels for the 6 images"),
        (None, idx_labels(np.full(6, 10)), "label 10 of image 0"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["gzip", "plain"])
def test_broken_idx(tmp_path, images, labels, complaint, zipped):
    pack, end = (gzip.compress, ".gz") if zipped else (bytes, "")
    images_path = tmp_path / f"train-images-idx3-ubyte{end}"
    labels_path = tmp_path / f"train-labels-idx1-ubyte{end}"
    images_path.write_bytes(pack(images or idx_images(IMAGES)))
    labels_path.write_bytes(pack(labels or idx_labels(LABELS)))
    told = refused(tmp_path)
    assert complaint in told
    assert str(images_path if images else labels_path) in told


def test_broken_gzip(tmp_path):
    write_idx(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    sound = path.read_bytes()
    for broken in (
        sound[: len(sound) // 2],
        sound[:-4],
        sound[:200] + bytes([sound[200] ^ 4]) + sound[201:],
        sound[:-8] + bytes(8),  # a wrong checksum
        sound + b"appended",
    ):
        path.write_bytes(broken)
        assert "broken gzip data" in refused(tmp_path)
    path.write_bytes(gzip.compress(sound))
    assert "gzip inside gzip" in refused(tmp_path)


@pytest.mark.parametrize(
    ("replaced", "complaint"),
    [
        ({"x_train": None}, "holds 0 arrays 'x_train'"),
        ({"y_train": None}, "holds 0 arrays 'y_train'"),
        ({"x_train": IMAGES.astype(np.float32)}, "type float32, not uint8"),
        ({"x_train": IMAGES.astype(np.int64)}, "type int64, not uint8"),
        ({"x_train": IMAGES.reshape(6, 14, 56)}, "shape (6, 14, 56), not (N, 28, 28)"),
        ({"x_train": IMAGES.reshape(-1)}, "shape (4704,)"),
        ({"x_train": IMAGES[:0]}, "claims 0 rows"),
        ({"x_train": np.asfortranarray(IMAGES)}, "Fortran order"),
        ({"y_train": LABELS.astype(float)}, "type float64, not integer"),
        ({"y_train": LABELS[:, None]}, "shape (6, 1), not (N,)"),
        ({"y_train": np.array(3)}, "shape (), not (N,)"),
        ({"y_train": LABELS[:5]}, "5 labels for 6 images"),
        ({"y_train": np.full(6, -1)}, "label -1 of image 0"),
        ({"y_train": np.array([0, 1, 2, 300, 4, 5])}, "label 300 of image 3"),
        ({"y_train": np.array([1, "2", None, 4, 5, 6], object)}, "pickled objects"),
    ],
)
def test_wrong_npz(tmp_path, replaced, complaint):
    write_npz(tmp_path / "mnist.npz", **{"x_train": IMAGES, "y_train": LABELS} | replaced)
    assert complaint in refused(tmp_path)


class Bomb:
    """Opening its pickle would create a file."""

    def __reduce__(self):
        return open, ("pickle-was-opened", "w")


def test_pickles_are_never_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path / "mnist.npz", x_train=np.array([Bomb()], object))
    assert "pickled objects" in refused(tmp_path)
    rewrite_zip(tmp_path / "mnist.npz", x_train=pickle.dumps(Bomb()), y_train=b"")
    assert "broken npz archive" in refused(tmp_path)
    (tmp_path / "mnist.npz").write_bytes(pickle.dumps(Bomb()))
    refused(tmp_path / "mnist.npz")
    assert not (tmp_path / "pickle-was-opened").exists()


def npy(array, header=None):
    """Return `array` in npy format, under another header if one is given."""
    file = io.BytesIO()
    np.save(file, array)
    if header is None:
        return file.getvalue()
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + array.tobytes()


@pytest.mark.parametrize(
    ("member", "complaint"),
    [
        (npy(IMAGES)[:-1], "not as long as its header says"),
        (npy(IMAGES) + b"\0", "not as long as its header says"),
        (
            npy(IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (70000, 28, 28)}"),
            "not as long as its header says",
        ),
        (
            npy(IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (2**40, 28, 28)}"),
            "broken npz archive",
        ),
        (
            npy(IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 28, 28)}"),
            "claims -1 rows",
        ),
        (
            npy(IMAGES, f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**30}, 784)}}"),
            "claims 1,000,",
        ),
        (npy(IMAGES, "__import__('os').system('true')"), "broken npz archive"),
        (npy(IMAGES, "{" * 100), "broken npz archive"),
        (b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1) + bytes(100), "npy format 1.0"),
        (b"\x93NUMPY\1\0\xff\xff", "broken npz archive"),
        (b"", "broken npz archive"),
        (b"not npy at all", "broken npz archive"),
    ],
)
def test_broken_npz_member(tmp_path, member, complaint):
    rewrite_zip(tmp_path / "mnist.npz", x_train=member, y_train=npy(LABELS))
    assert complaint in refused(tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_tricks(tmp_path):
    path = tmp_path / "mnist.npz"
    rewrite_zip(path, x_train=npy(IMAGES), y_train=npy(LABELS))
    sound = path.read_bytes()
    assert_holds(load(path), (IMAGES, LABELS))

    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", npy(IMAGES[::-1]))
    assert "holds 2 arrays 'x_train'" in refused(path)

    rewrite_zip(path, zipfile.ZIP_LZMA, x_train=npy(IMAGES), y_train=npy(LABELS))
    assert "another method" in refused(path)

    directory = sound.index(b"PK\1\2")

    def changed(at, values):
        return sound[:at] + values + sound[at + len(values) :]

    for broken in (
        sound[:-1],  # truncated
        sound + b"\0",
        changed(directory + 8, b"\1\0"),  # encrypted
        changed(directory + 6, b"\xff\xff"),  # "needs version 6553.5 to extract"
        changed(directory + 16, bytes(4)),  # CRC
        changed(directory + 20, b"\xff\xff\xff\x7f"),  # compressed size
        changed(directory + 24, b"\x10\0\0\0"),  # size too small
        changed(directory + 24, b"\xff\xff\xff\x7f"),  # size too large
        changed(directory + 42, b"\xff\xff\xff\x7f"),  # where the member begins
        changed(30, b"z"),  # another name in the member's own header
        changed(100, bytes([sound[100] ^ 255])),  # the compressed data
    ):
        path.write_bytes(broken)
        refused(path)

    # The member's own header claims a name of 64 KB, which zipfile quotes whole.
    rewrite_zip(path, zipfile.ZIP_STORED, x_train=npy(digits(200)[0]), y_train=npy(LABELS))
    large = path.read_bytes()
    path.write_bytes(large[:26] + b"\xff\xff" + large[28:])
    assert "and header" in refused(path)

    zip64 = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    path.write_bytes(sound[:-22] + zip64 + sound[-22:])
    assert "64-bit" in refused(path)


def test_a_zip_that_is_all_directory_takes_no_memory(tmp_path):
    entries = 200_000
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 16)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, entries * len(entry), 0, 0)
    (tmp_path / "mnist.npz").write_bytes(entry * entries + end)
    (tmp_path / "begins.npz").write_bytes(b"PK\3\4" + entry * entries + end)
    for path in (tmp_path, tmp_path / "begins.npz"):
        peak = peak_memory(lambda path=path: refused(path))
        assert peak < 1e6


@pytest.mark.parametrize(
    ("at", "line", "complaint"),
    [
        (2, "x" + csv_lines(IMAGES, LABELS)[1][1:], "line 3 holds 'x'"),
        (2, csv_lines(IMAGES, LABELS)[1] + ",0", "line 3 has 786 values"),
        (2, csv_lines(IMAGES, LABELS)[1].rpartition(",")[0], "line 3 has 784 values"),
        (2, csv_lines(IMAGES, LABELS)[1].rpartition(",")[0] + ",256", "line 3: '256' is not 0 to"),
        (2, csv_lines(IMAGES, LABELS)[1].rpartition(",")[0] + ",-1", "line 3 holds '-'"),
        (2, csv_lines(IMAGES, LABELS)[1].rpartition(",")[0] + ",1.5", "line 3 holds '.'"),
        (2, csv_lines(IMAGES, LABELS)[1].rpartition(",")[0] + ",", "line 3: '' is not 0 to 255"),
        (6, csv_lines(IMAGES, LABELS)[5].rpartition(",")[0] + "," + "9" * 5000, "line 7: '99"),
        (2, "12" + csv_lines(IMAGES, LABELS)[1][1:], "label 12 of image 1"),
        (2, "\0", "line 3"),
        (2, "\u0663" * 785, "line 3"),
        (2, "7" * 20_000, "line 3"),
        (0, CSV_HEADER.replace("label,", ""), "names 784"),
        (0, csv_lines(IMAGES, LABELS)[0], "line 1 should name 785 columns"),
        (0, "PassengerId,Survived,Pclass", "names 3 and begins 'PassengerId,Survived,Pclass'"),
    ],
)
def test_broken_csv(tmp_path, at, line, complaint):
    lines = [CSV_HEADER, *csv_lines(IMAGES, LABELS)]
    lines[at] = line
    (tmp_path / "train.csv").write_text("\n".join(lines), encoding="utf-8")
    assert complaint in refused(tmp_path, None)


def test_csv_without_images(tmp_path):
    for text in (CSV_HEADER, CSV_HEADER + "\n\n\n"):
        (tmp_path / "train.csv").write_text(text)
        assert "holds no images" in refused(tmp_path)


# ---- messages


@pytest.mark.skipif(os.name == "nt", reason="no such names here")
def test_a_path_is_shown_in_one_line(tmp_path, capfd):
    folder = tmp_path / "a\nb\x1b[31m\u2028"
    write_idx(folder)
    load_mnist(folder)
    line = capfd.readouterr().err
    assert line == f"data: MNIST, 30 training images from {tmp_path}/a\\nb\\x1b[31m\\u2028\n"
    with pytest.raises(DataError) as caught:
        load(folder / "nothing")
    assert str(caught.value) == (
        f"{tmp_path}/a\\nb\\x1b[31m\\u2028/nothing: no such file or folder"
    )
    assert caught.value.path == str(folder / "nothing")
    with pytest.raises(DataError) as caught:
        load(os.fsdecode(bytes(tmp_path) + b"/\xff"))
    assert str(caught.value).endswith("\\udcff: no such file or folder")


def test_a_long_path_loses_its_middle_and_a_long_reason_its_end():
    error = DataError("begin" + "x" * 100_000 + "end", "why" + "y" * 100_000 + "so")
    assert len(str(error)) < 900
    for part in ("begin", "end: why"):
        assert part in str(error)
    assert len(error.path) == 100_008
    assert len(str(DataError("\n" * 400, "\n" * 400))) < 900


@pytest.mark.parametrize("arguments", [{"split": "x" * 10_000}, {"path": [0] * 10_000}])
def test_a_wrong_argument_is_quoted_in_part(arguments):
    with pytest.raises((ValueError, TypeError)) as caught:
        load_mnist(**arguments)
    assert len(str(caught.value)) < 450


# ---- work


def gzip_with_a_name(data, name):
    compressed = gzip.compress(data, mtime=0)
    return compressed[:3] + b"\x08" + compressed[4:10] + name + b"\0" + compressed[10:]


def test_a_gzip_header_of_megabytes_takes_no_work(tmp_path):
    content = write_idx(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip_with_a_name(gzip.decompress(path.read_bytes()), b"x" * (5 << 20)))
    assert calls(lambda: assert_holds(load(tmp_path), content["train"])) < 20_000
    # Also before a member that is not the first.
    whole = gzip.decompress(path.read_bytes())
    path.write_bytes(
        gzip.compress(whole[:1000]) + gzip_with_a_name(whole[1000:], b"x" * (5 << 20)) + bytes(9)
    )
    assert calls(lambda: assert_holds(load(tmp_path), content["train"])) < 20_000


def test_a_gzip_of_many_empty_members_takes_no_work(tmp_path):
    write_idx(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(b"") * 100_000 + path.read_bytes())
    assert calls(lambda: refused(tmp_path)) < 20_000
    assert "more than 16 gzip files" in refused(tmp_path)


def test_a_csv_of_blank_lines_takes_little_work(tmp_path):
    write_csv(tmp_path / "train.csv")
    with (tmp_path / "train.csv").open("a") as file:
        file.write("\n" * (5 << 20))
    assert calls(lambda: refused(tmp_path)) < 500_000
    assert "more than 70,000 blank lines" in refused(tmp_path)


# ---- memory


def peak_memory(function):
    """Return how many bytes more were allocated at the worst moment of ``function()``."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_sound_files_take_little_more_than_their_data(tmp_path):
    images = np.tile(digits(500)[0], (20, 1))
    labels = np.tile(digits(500)[1], 20)
    real = images.nbytes + labels.nbytes
    for zipped in (True, False):
        end = ".gz" if zipped else ""
        pack = (lambda data: gzip.compress(data, 1)) if zipped else bytes
        (tmp_path / f"train-images-idx3-ubyte{end}").write_bytes(pack(idx_images(images)))
        (tmp_path / f"train-labels-idx1-ubyte{end}").write_bytes(pack(idx_labels(labels)))
        assert peak_memory(lambda: load(tmp_path)) < 1.5 * real
        for file in tmp_path.iterdir():
            file.unlink()
    write_npz(tmp_path / "mnist.npz", x_train=images, y_train=labels)
    assert peak_memory(lambda: load(tmp_path)) < 1.5 * real
    (tmp_path / "mnist.npz").unlink()
    (tmp_path / "train.csv").write_text("\n".join([CSV_HEADER, *csv_lines(images, labels)]))
    assert peak_memory(lambda: load(tmp_path, None)) < 1.5 * real


def test_a_lying_header_takes_no_memory(tmp_path):
    lies = idx_images(IMAGES, count=70_000)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_labels(LABELS, count=70_000))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(lies)
    assert peak_memory(lambda: refused(tmp_path)) < 3e6
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (70000, 28, 28)}"
    rewrite_zip(tmp_path / "a.npz", x_train=npy(IMAGES, header), y_train=npy(LABELS))
    assert peak_memory(lambda: refused(tmp_path / "a.npz")) < 3e6


@pytest.mark.parametrize("begin", ["", CSV_HEADER + "\n"], ids=["header", "line"])
def test_a_csv_that_is_one_endless_line_takes_no_memory(tmp_path, begin):
    with (tmp_path / "train.csv").open("w") as file:
        file.write(begin)
        for _ in range(20):
            file.write("1" * (1 << 20))
    assert peak_memory(lambda: refused(tmp_path, None)) < 1e6


def gzip_bomb(begin, zeros):
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as bomb:
        bomb.write(begin)
        for _ in range(zeros >> 20):
            bomb.write(bytes(1 << 20))
    return file.getvalue()


def test_a_gzip_bomb_is_read_no_further_than_it_claims(tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(
        gzip_bomb(struct.pack(">4I", 0x803, 1000, 28, 28), 200 << 20)
    )
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_labels(LABELS))
    assert peak_memory(lambda: refused(tmp_path)) < 2 * 784_000 + 3e6


def test_a_zip_bomb_is_read_no_further_than_it_claims(tmp_path):
    with zipfile.ZipFile(tmp_path / "mnist.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x_train.npy", "w", force_zip64=True) as member:
            member.write(npy(IMAGES))
            for _ in range(200):
                member.write(bytes(1 << 20))
        archive.writestr("y_train.npy", npy(LABELS))
    assert peak_memory(lambda: refused(tmp_path)) < 3e6


def test_a_file_larger_than_mnist_can_be_is_not_read(tmp_path):
    for name in ("train-images-idx3-ubyte", "mnist.npz", "train.csv"):
        with (tmp_path / name).open("wb") as file:
            file.write({"t": b"\0\0\10\3", "m": b"PK\3\4"}.get(name[0], b""))
            file.truncate(1 << 40)  # sparse: takes no room on the disk
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_labels(LABELS))
        assert "MNIST takes at most" in refused(tmp_path / name)
