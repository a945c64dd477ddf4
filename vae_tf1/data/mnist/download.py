"""Download of MNIST's four IDX files: checked against the published checksums, never half a file.

Each file (10 MB at most) is fetched into memory, compared, and only then written.
"""

import errno
import hashlib
import http.client
import queue
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vae_tf1.data.mnist.cache import write_atomically
from vae_tf1.errors import DataError

__all__ = ["FILES", "MIRRORS", "download_mnist"]

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# name: (bytes, SHA-256), as published for http://yann.lecun.com/exdb/mnist
FILES = {
    "train-images-idx3-ubyte.gz": (
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    "train-labels-idx1-ubyte.gz": (
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    "t10k-images-idx3-ubyte.gz": (
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
}
TIMEOUT = 10.0  # seconds without a byte
PATIENCE = 20.0  # seconds until the first byte of a file
DEADLINE = 600.0  # seconds for a whole file

_CHUNK = 1 << 16
_NO_NETWORK = "no network"


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where it stays with the scheme, so https remains https."""

    def redirect_request(self, request, response, code, message, headers, url):
        scheme = urlsplit(url).scheme
        if scheme != request.type:
            raise DataError(request.full_url, f"redirects from {request.type} to {scheme}")
        return super().redirect_request(request, response, code, message, headers, url)


def download_mnist(folder: Path, *, quiet: bool = False) -> None:
    """Bring the four files into `folder`; those that are there and sound are not fetched again.

    Parameters
    ----------
    folder : pathlib.Path
        Created if need be.
    quiet : bool
        Show no progress bar. There is one on a terminal only.

    Raises
    ------
    DataError
        If a file could be had, whole and with the right checksum, from no mirror, or the folder
        cannot be written. It names what went wrong with each mirror.
    """
    from tqdm import tqdm

    wanted = {name: told for name, told in FILES.items() if not _is_sound(folder / name, *told)}
    mirrors = list(MIRRORS)
    hidden = quiet or sys.stderr is None or not sys.stderr.isatty()
    total = sum(size for size, _ in wanted.values())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tqdm(
            total=total,
            desc="Downloading MNIST",
            unit="B",
            unit_scale=True,
            disable=hidden,
            leave=False,
        ) as bar:
            for name, (size, sha256) in wanted.items():
                data = _fetch_from_any(mirrors, name, size, sha256, bar)
                write_atomically(folder / name, lambda file, data=data: file.write(data))
    except OSError as error:
        raise DataError(folder, f"the cache cannot be written ({error.strerror})") from error


def _is_sound(path: Path, size: int, sha256: str) -> bool:
    try:
        return path.stat().st_size == size and _sha256(path.read_bytes()) == sha256
    except OSError:
        return False


def _sha256(data: bytes | bytearray) -> str:
    return hashlib.sha256(data).hexdigest()


def _fetch_from_any(mirrors: list[str], name: str, size: int, sha256: str, bar: Any) -> bytearray:
    """Try the mirrors in turn; one that fails goes to the end of the list."""
    done = bar.n
    problems = {}
    for mirror in tuple(mirrors):
        try:
            return _fetch(mirror + name, size, sha256, bar)
        except DataError as error:
            problems[urlsplit(mirror).netloc] = error.reason
            mirrors.remove(mirror)
            mirrors.append(mirror)
            bar.n = done
    if set(problems.values()) == {_NO_NETWORK}:
        raise DataError(name, _NO_NETWORK)
    raise DataError(name, "; ".join(f"{host}: {reason}" for host, reason in problems.items()))


def _fetch(url: str, size: int, sha256: str, bar: Any) -> bytearray:
    until = time.monotonic() + DEADLINE
    data = bytearray()
    try:
        with _open(url) as response:
            offered = response.headers.get("Content-Length")
            if offered is not None and offered != str(size):
                raise DataError(url, f"offers {offered[:20]} bytes instead of {size:,}")
            while chunk := response.read1(_CHUNK):
                data += chunk
                bar.update(len(chunk))
                if len(data) > size:
                    raise DataError(url, f"sends more than the {size:,} bytes of the file")
                if time.monotonic() > until:
                    raise DataError(url, f"took longer than {DEADLINE:.0f} s")
    except DataError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(url, _describe(error)) from error
    if len(data) < size:
        raise DataError(url, f"ended after {len(data):,} of {size:,} bytes")
    if _sha256(data) != sha256:
        raise DataError(url, "sent a file with the wrong checksum")
    return data


def _open(url: str) -> http.client.HTTPResponse:
    """Ask for `url`, in a thread: a name server or a dripping header can outlast any time-out."""
    answers = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urllib.request.build_opener(_SameScheme).open(url, timeout=TIMEOUT))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=PATIENCE)
    except queue.Empty:
        raise DataError(url, f"gave no answer in {PATIENCE:.0f} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _describe(error: Exception) -> str:
    cause = getattr(error, "reason", error)  # urllib wraps what the socket said
    unreachable = getattr(cause, "errno", None) in (errno.ENETUNREACH, errno.EHOSTUNREACH)
    if unreachable or isinstance(cause, socket.gaierror):
        return _NO_NETWORK
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    return (str(cause) or repr(cause))[:200]
