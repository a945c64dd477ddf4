"""A hermetic process for every test: no display, no network cache, no data of the user's."""

import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["MPLBACKEND"] = "Agg"
os.environ["VAE_TF1_OFFLINE"] = "1"

_HOME = tempfile.TemporaryDirectory(prefix="vae_tf1-tests-")
os.environ["HOME"] = os.environ["USERPROFILE"] = _HOME.name
os.environ["XDG_CACHE_HOME"] = str(Path(_HOME.name, ".cache"))
for variable in ("VAE_TF1_DATA", "KERAS_HOME"):
    os.environ.pop(variable, None)

# How the process that uses the model runs TensorFlow: tests/test_modes.py sets it.
MODE = os.environ.get("VAE_TF1_MODE", "eager")
if MODE != "eager":
    import tensorflow.compat.v1 as tf1

    {"graph": tf1.disable_eager_execution, "v1": tf1.disable_v2_behavior}[MODE]()

HERE = Path(__file__).parent
os.environ["PYTHONPATH"] = str(HERE.parent)  # subprocesses test the same code


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what repeats a promise to the full suite; the other modes try it as every run did."""
    for item in items:
        if MODE == "eager" and item.get_closest_marker("repeats"):
            item.add_marker("full")


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """Return the folder of the numbers that genuine TensorFlow 1 computed."""
    return HERE / "golden"


@pytest.fixture(scope="session")
def golden_small(golden_dir: Path) -> dict[str, np.ndarray]:
    """Fifty steps of a (24, [10, 6, 4]) model under TensorFlow 1.15.5."""
    with np.load(golden_dir / "tf115_small.npz") as file:
        return dict(file)


@pytest.fixture(scope="session")
def golden_large_dir() -> Path:
    """Return the folder of the goldens that are too large to keep here."""
    folder = os.environ.get("VAE_TF1_GOLDEN")
    if not folder:
        pytest.skip("VAE_TF1_GOLDEN does not name the folder of the large golden files")
    return Path(folder)


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """Return a folder that holds the real MNIST."""
    folder = os.environ.get("VAE_TF1_TEST_MNIST")
    if not folder:
        pytest.skip("VAE_TF1_TEST_MNIST does not name a folder with the real MNIST")
    return Path(folder)


@pytest.fixture(autouse=True)
def own_default_graph():
    """In graph mode a model is built into the default graph: give each test one of its own."""
    if MODE == "eager":
        yield
        return
    with tf1.Graph().as_default():
        yield


@pytest.fixture(scope="session")
def few_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in MNIST's format, with 1500 drawn digits a split."""
    from vae_tf1.data.mnist import builtin_digits

    folder = tmp_path_factory.mktemp("mnist")
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = builtin_digits(1500, split=split)
        header = struct.pack(">IIII", 2051, 1500, 28, 28)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = struct.pack(">II", 2049, 1500)
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    return folder
