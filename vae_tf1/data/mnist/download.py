"""Download of MNIST's four IDX files: checked against the published checksums, never half a file.

Each file has at most 10 MB. It is fetched into memory and checked before it is written.
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
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from vae_tf1.data.files import write_whole
from vae_tf1.errors import DataError

__all__ = ["Mirrors"]

_ADDRESSES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# name: (bytes, SHA-256), as published for http://yann.lecun.com/exdb/mnist
_FILES = {
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
_CHUNK = 1 << 16
_NO_NETWORK = "no network"


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only if it keeps the scheme, so https remains https."""

    def redirect_request(self, request, response, code, message, headers, url):
        scheme = urlsplit(url).scheme
        if scheme != request.type:
            raise DataError(request.full_url, f"redirects from {request.type} to {scheme}")
        return super().redirect_request(request, response, code, message, headers, url)


@dataclass(frozen=True)
class Mirrors:
    """The servers that MNIST's files are downloaded from.

    Attributes
    ----------
    addresses : tuple of str
        URLs that a file's name is appended to, in the order in which they are tried.
    files : mapping
        File name: its bytes and its SHA-256.
    timeout : float
        Seconds without a byte.
    patience : float
        Seconds until the first byte of a file.
    deadline : float
        Seconds for a whole file.
    """

    addresses: tuple[str, ...] = _ADDRESSES
    files: Mapping[str, tuple[int, str]] = field(default_factory=lambda: _FILES)
    timeout: float = 10.0
    patience: float = 20.0
    deadline: float = 600.0

    def download(self, folder: Path, *, quiet: bool = False) -> None:
        """Bring the files into `folder`; those that are there and sound are not fetched again.

        Parameters
        ----------
        folder : pathlib.Path
            Created if need be.
        quiet : bool
            Show no progress bar. Even without it, there is one on a terminal only.

        Raises
        ------
        DataError
            If no mirror delivers a file whole and with the right checksum, or the folder cannot
            be written. It names what went wrong with each mirror.
        """
        from tqdm import tqdm

        missing = {
            name: size_and_sum
            for name, size_and_sum in self.files.items()
            if not _is_sound(folder / name, *size_and_sum)
        }
        mirrors = list(self.addresses)
        hidden = quiet or sys.stderr is None or not sys.stderr.isatty()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tqdm(
                total=sum(size for size, _ in missing.values()),
                desc="Downloading MNIST",
                unit="B",
                unit_scale=True,
                disable=hidden,
                leave=False,
            ) as bar:
                for name, (size, sha256) in missing.items():
                    data = self._fetch_from_any(mirrors, name, size, sha256, bar)
                    write_whole(folder / name, partial(_write, data))
        except OSError as error:
            raise DataError(folder, f"the cache cannot be written ({error.strerror})") from error

    def _fetch_from_any(
        self, mirrors: list[str], name: str, size: int, sha256: str, bar: Any
    ) -> bytearray:
        """Try the mirrors in turn; one that fails goes to the end of the list."""
        done = bar.n
        problems = {}
        for mirror in tuple(mirrors):
            try:
                return self._fetch(mirror + name, size, sha256, bar)
            except DataError as error:
                problems[urlsplit(mirror).netloc] = error.reason
                mirrors.remove(mirror)
                mirrors.append(mirror)
                bar.n = done
        if set(problems.values()) == {_NO_NETWORK}:
            raise DataError(name, _NO_NETWORK)
        raise DataError(name, "; ".join(f"{host}: {reason}" for host, reason in problems.items()))

    def _fetch(self, url: str, size: int, sha256: str, bar: Any) -> bytearray:
        until = time.monotonic() + self.deadline
        data = bytearray()
        try:
            with self._open(url) as response:
                offered = response.headers.get("Content-Length")
                if offered is not None and offered != str(size):
                    raise DataError(url, f"offers {offered[:20]} bytes instead of {size:,}")
                while chunk := response.read1(_CHUNK):
                    data += chunk
                    bar.update(len(chunk))
                    if len(data) > size:
                        raise DataError(url, f"sends more than the {size:,} bytes of the file")
                    if time.monotonic() > until:
                        raise DataError(url, f"took longer than {self.deadline:.0f} s")
        except DataError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DataError(url, _describe(error)) from error
        if len(data) < size:
            raise DataError(url, f"ended after {len(data):,} of {size:,} bytes")
        if _sha256(data) != sha256:
            raise DataError(url, "sent a file with the wrong checksum")
        return data

    def _open(self, url: str) -> http.client.HTTPResponse:
        """Ask for `url` in a thread: a name server or a slow header can outlast any time-out."""
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def ask() -> None:
            try:
                opener = urllib.request.build_opener(_SameScheme)
                answers.put(opener.open(url, timeout=self.timeout))
            except Exception as error:
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=self.patience)
        except queue.Empty:
            raise DataError(url, f"gave no answer in {self.patience:.0f} s") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _is_sound(path: Path, size: int, sha256: str) -> bool:
    try:
        return path.stat().st_size == size and _sha256(path.read_bytes()) == sha256
    except OSError:
        return False


def _write(data: bytes | bytearray, file: BinaryIO) -> None:
    file.write(data)


def _sha256(data: bytes | bytearray) -> str:
    return hashlib.sha256(data).hexdigest()


def _describe(error: Exception) -> str:
    cause = getattr(error, "reason", error)  # urllib wraps what the socket said
    unreachable = getattr(cause, "errno", None) in (errno.ENETUNREACH, errno.EHOSTUNREACH)
    if unreachable or isinstance(cause, socket.gaierror):
        return _NO_NETWORK
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    return (str(cause) or repr(cause))[:100]  # so that the reasons of two mirrors fit a line
