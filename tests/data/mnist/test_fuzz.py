"""Thousands of spoiled files: the documented exception or a sound result, and nothing else.

The seeds are in fuzz_seeds.txt; ``VAE_TF1_FUZZ_CASES`` sets the number of cases (10,000). A
failure names its seed and case; the same numbers give the same file again.
"""

import os
import signal
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from support.kinds import full_except
from support.mnist_files import write_amat, write_csv, write_idx, write_npz
from support.mnist_mutations import ANY, CSV, GZIP, ZIP, pick

from vae_tf1.data.mnist import DataError, load_mnist

CASES = int(os.environ.get("VAE_TF1_FUZZ_CASES", "10000"))
SEEDS = [int(line) for line in Path(__file__).with_name("fuzz_seeds.txt").open()]
IMAGES = 3
# The bombs hold 1 MiB; a reader that believed a length would take up to 55 MB.
MAX_PEAK = 4 << 20
MAX_SECONDS = 30.0  # a reader that takes longer hangs

# format: the sound file, the mutations of it
FORMATS = {
    "gzip": ("train-images-idx3-ubyte.gz", ANY + GZIP * 2),
    "gzip-labels": ("train-labels-idx1-ubyte.gz", ANY + GZIP),
    "plain": ("train-images-idx3-ubyte", ANY + GZIP[:3]),
    "npz": ("mnist.npz", ANY + ZIP * 2),
    "npz-stored": ("mnist.npz", ANY + ZIP * 2),
    "csv": ("train.csv", ANY + CSV * 3),
    "amat": ("binarized_mnist_valid.amat", ANY + CSV),
}


class Watch:
    """Tells what a reader does besides reading: writing, unpickling, starting programs."""

    FORBIDDEN = ("os.", "shutil.", "subprocess.", "socket.", "pickle.", "tempfile.")
    HARMLESS = ("os.listdir", "os.scandir")

    def __init__(self):
        self.on = False
        self.seen = []
        sys.addaudithook(self.hook)

    def hook(self, event, arguments):
        if not self.on:
            return
        if event == "open":
            writing = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            forbidden = bool(writing)
        else:
            forbidden = event.startswith(self.FORBIDDEN) and event not in self.HARMLESS
        if forbidden:
            self.seen.append((event, repr(arguments)[:100]))


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture
def no_hanging():
    """Interrupt a reader that never comes back."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number, frame):
        raise TimeoutError("the reader hangs")

    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def room_for_names():
    """Let Python's table of interned strings grow now, and not while a reader is measured.

    Reading interns names, such as those in a header: fewer than 10 a case. A full table gives way
    to one of which at least half is free, in one piece: 7.7 MB if TensorFlow is in the process too.
    An entry takes 22 bytes.
    """
    enough = max(2 * 22 * 10 * CASES, 1 << 18)
    grown, names = 0, []
    while grown < enough:
        names += [f"name {len(names) + i}" for i in range(1000)]
        tracemalloc.start()
        names[-1000:] = map(sys.intern, names[-1000:])
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the bytes of a sound file of each format."""
    top = tmp_path_factory.mktemp("sound")
    for kind in FORMATS:
        write_sound(top / kind, kind)
    return {kind: (top / kind / FORMATS[kind][0]).read_bytes() for kind in FORMATS}


def write_sound(folder, kind):
    if kind.startswith("npz"):
        write_npz(folder / "mnist.npz", n=IMAGES, compressed=kind == "npz")
    elif kind == "amat":
        write_amat(folder, sizes=(("train", IMAGES), ("valid", IMAGES)))
    elif kind == "csv":
        write_csv(folder / "train.csv", n=IMAGES)
    else:
        write_idx(folder, n=IMAGES, zipped=kind != "plain")


@pytest.mark.filterwarnings("ignore:Reading .* additional header parsing")
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("seed", full_except(SEEDS, SEEDS[0]))
@pytest.mark.usefixtures("no_hanging", "room_for_names")
def test_spoiled_files(tmp_path, watch, monkeypatch, sound, seed, kind):
    others = [data for each, data in sound.items() if each != kind]
    folder = tmp_path / kind
    write_sound(folder, kind)
    monkeypatch.chdir(folder)
    name, mutations = FORMATS[kind]
    file = folder / name
    everything = sorted(tmp_path.rglob("*"))
    outcomes = {"read": 0, "refused": 0}

    for case in range(-(-CASES // (len(SEEDS) * len(FORMATS)))):
        rng = np.random.default_rng((seed, list(FORMATS).index(kind), case))
        data = sound[kind]
        for _ in range(rng.choice(3, p=[0.7, 0.2, 0.1]) + 1):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zipfile on names that come twice
                data = pick(mutations, rng)(data or b"\0", rng, others)
        file.write_bytes(data)
        path = file if case % 2 else folder
        options = {"binarization": "fixed"} if kind == "amat" or case % 9 == 0 else {}
        case_name = f"seed {seed}, case {case}"
        outcomes[read_watched(path, watch, case_name, case % 5 == 0, options)] += 1
    assert sorted(tmp_path.rglob("*")) == everything
    assert outcomes["refused"] > outcomes["read"]  # most mutations do spoil the file


def read_watched(path, watch, case, measured, options):
    """Read `path` and hold the reader to its promises; return "read" or "refused".

    Measuring memory makes everything twice as slow, so only some cases have it `measured`.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    if measured:
        tracemalloc.start()
    watch.on = True
    try:
        images, labels, _ = load_mnist(path, None, quiet=True, **options)
        outcome, complaint = "read", None
    except DataError as error:
        outcome, complaint = "refused", error
    except Exception as error:
        raise AssertionError(f"{case}: {error!r} instead of DataError") from error
    finally:
        watch.on = False
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MAX_PEAK, case
    assert watch.seen == [], case
    if outcome == "read":
        assert images.dtype == np.uint8, case
        assert labels.dtype == (np.uint8 if labels.min() >= 0 else np.int8), case
        assert images.shape == (len(labels), 784), case
        assert len(labels) > 0, case
        assert labels.max() <= 9, case
    else:
        assert Path(complaint.path).parent in (path, path.parent), case
        assert str(complaint).isprintable(), case
        assert len(str(complaint)) < 900, case
    return outcome
