"""Grey images made binary: three protocols, whose likelihoods must never be compared.

threshold
    1 where the grey value exceeds one half. The original script does this.
fixed
    Each pixel drawn once, 1 with a probability equal to its grey value (Salakhutdinov & Murray
    2008, https://doi.org/10.1145/1390156.1390266). Larochelle's published files are one such draw.
dynamic
    Drawn anew in every epoch (Burda et al. 2015, https://arxiv.org/abs/1509.00519). Training does
    this, so `binarize` refuses it.
"""

from collections.abc import Sequence

import numpy as np

from vae_tf1.checks import check_count
from vae_tf1.errors import one_line

__all__ = ["DYNAMIC", "FIXED", "PROTOCOLS", "THRESHOLD", "binarize", "check_protocol"]

THRESHOLD = "threshold"
FIXED = "fixed"
DYNAMIC = "dynamic"
PROTOCOLS = (THRESHOLD, FIXED, DYNAMIC)

_DOMAIN = 0x62696E61  # "bina": keeps these draws apart from any other use of the same seed
_PER_COUNTER = 4  # uniforms that Philox gives for one value of its counter
_BLOCK = 1024  # rows drawn at a time: 6.4 MB of random bits for MNIST


def check_protocol(value: object, allowed: Sequence[str] = PROTOCOLS) -> str | None:
    """Return `value`, None or one of `allowed`.

    Raises
    ------
    ValueError
        If it is neither. A protocol that exists but is not allowed here is said to be so.
    """
    if value is None or (isinstance(value, str) and value in allowed):
        return value
    if isinstance(value, str) and value == DYNAMIC:
        raise ValueError(
            "binarization='dynamic' draws anew in every epoch, so it belongs to training: "
            "load the grey images and call fit(X, binarization='dynamic')"
        )
    names, shown = ", ".join(map(repr, allowed)), one_line(repr(value))
    raise ValueError(f"binarization must be None or one of {names}, not {shown}")


def binarize(
    images: np.ndarray, protocol: str, seed: int = 0, rows: np.ndarray | None = None
) -> np.ndarray:
    """Make grey images binary.

    A "fixed" draw is a function of (`seed`, number of the row, column): neither the order of the
    images nor how many there are changes what an image becomes.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, D)
        Grey values: uint8, 0 to 255; or float in [0, 1], taken as float32 (so bytes k and floats
        k / 255 become the same bits); or bool.
    protocol : {"threshold", "fixed"}
    seed : int
        For "fixed": any integer of at least zero.
    rows : numpy.ndarray of integers, shape (N,), optional
        For "fixed": the number of each image, 0 to N - 1 by default.

    Returns
    -------
    numpy.ndarray of uint8, shape (N, D)
        0 or 1.

    Raises
    ------
    ValueError, TypeError
        If an argument is none of the above.
    """
    if check_protocol(protocol, (THRESHOLD, FIXED)) is None:
        raise ValueError("binarization must be 'threshold' or 'fixed', not None")
    images = np.asarray(images)
    if images.ndim != 2:
        raise ValueError(f"images must have shape (N, D), not {images.shape}")
    if images.dtype.kind not in "bf" and images.dtype != np.uint8:
        raise TypeError(f"images must be uint8, float or bool, not {images.dtype}")
    seed = check_count(seed, "seed", 0)
    rows = np.arange(len(images)) if rows is None else _check_rows(rows, len(images))
    binary = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        grey = _grey(images[block])
        bound = 0.5 if protocol == THRESHOLD else _uniforms(seed, rows[block], images.shape[1])
        np.greater(grey, bound, out=binary[block], casting="unsafe")
    return binary


def _grey(images: np.ndarray) -> np.ndarray:
    if images.dtype == np.uint8:
        return images / np.float32(255)
    grey = images.astype(np.float32)
    if not (grey.size == 0 or (grey.min() >= 0 and grey.max() <= 1)):  # NaN included
        raise ValueError("images must hold values in [0, 1]; divide 8-bit images by 255")
    return grey


def _uniforms(seed: int, rows: np.ndarray, width: int) -> np.ndarray:
    """Return uniforms in [0, 1), float64, shape (N, width), keyed by (seed, row).

    Philox4x64 (Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405) counts from any
    number: row r owns the counters from r * n, where n counters give one row. NumPy promises that
    the raw stream of a bit generator never changes; a uniform is its upper 53 bits.
    """
    key = np.random.SeedSequence((seed, _DOMAIN)).generate_state(2, np.uint64)
    counters = -(-width // _PER_COUNTER)
    raw = np.empty((len(rows), counters * _PER_COUNTER), np.uint64)
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    for start, stop in zip([0, *breaks], [*breaks, len(rows)], strict=True):
        philox = np.random.Philox(key=key, counter=int(rows[start]) * counters)
        raw[start:stop] = philox.random_raw(raw[start:stop].size).reshape(-1, raw.shape[1])
    return (raw[:, :width] >> np.uint64(11)) * 2.0**-53


def _check_rows(rows: np.ndarray, count: int) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.shape != (count,) or rows.dtype.kind not in "iu":
        raise ValueError(
            f"rows must be {count} integers, one an image, not {rows.dtype} of shape {rows.shape}"
        )
    if count and rows.min() < 0:
        raise ValueError(f"rows must be at least 0, not {rows.min()}")
    return rows.astype(np.int64)
