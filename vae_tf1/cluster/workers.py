"""`Cluster`: the workers that train one model, as a user sees them."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from platform import python_version
from typing import Any

import numpy as np
import tensorflow as tf

import vae_tf1
from vae_tf1.checks import check_positive
from vae_tf1.cluster import environment
from vae_tf1.cluster.wire import Wire, is_about_others
from vae_tf1.errors import ClusterError, PeerLost, one_line

__all__ = ["Cluster"]

_LOOK_EVERY = 0.5  # seconds
_PROBE = 1.0  # seconds that a worker has to take a connection
_SLURM_PORT = 8888


class Cluster:
    """Workers that train one model together, each with its share of every minibatch.

    Start the same program on every machine. It makes a cluster and gives it to the model:
    ``VariationalAutoencoder(784, [200, 100], cluster=cluster)``; all else stays as it is. All
    workers hold the same weights after every step. Worker 0, the chief, alone writes.

    Parameters
    ----------
    workers
        The addresses "host:port" of all workers, in the same order for each of them.
    index
        Which of them this process is, from 0.
    wait
        Seconds that this worker waits for the others at the start, and wherever the user's own code
        runs between two trainings.
    timeout
        Seconds after which a worker that does not answer is given up: a chunk of steps, which
        takes about half a second, a callback and a checkpoint of the chief must not take longer.

    Raises
    ------
    ValueError
        If an argument is none of these.
    """

    def __init__(
        self, workers: Sequence[str], index: int, *, wait: float = 300.0, timeout: float = 60.0
    ) -> None:
        place = environment.check_place(workers, index)
        self._workers, self._index = place
        self._wait = check_positive(wait, "wait")
        self._timeout = check_positive(timeout, "timeout")
        self._wire: Wire | None = None

    @classmethod
    def from_environment(
        cls,
        kind: str | None = None,
        *,
        port: int = _SLURM_PORT,
        wait: float = 300.0,
        timeout: float = 60.0,
    ) -> Cluster:
        """Make the cluster that the environment describes.

        Parameters
        ----------
        kind
            "tf_config" for the variable ``TF_CONFIG``, which Kubeflow, Ray, SageMaker and Vertex
            set, "slurm" for the variables of ``srun``; by default ``TF_CONFIG`` if it is set.
        port
            With Slurm, the port of the first worker of each machine; the next one has the next.
        wait, timeout
            As for the class.

        Raises
        ------
        ValueError
            If the environment does not describe one; the message says what is wrong.
        """
        return cls(*environment.find(kind, port), wait=wait, timeout=timeout)

    def __repr__(self) -> str:
        return f"<worker {self.index} of {self.size}: {', '.join(self.workers)}>"

    @property
    def workers(self) -> tuple[str, ...]:
        """The addresses of all workers."""
        return self._workers

    @property
    def index(self) -> int:
        """Which of the workers this process is."""
        return self._index

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self._workers)

    @property
    def is_chief(self) -> bool:
        """Whether this is worker 0, which alone writes."""
        return self._index == 0

    # The rest is for the training -----------------------------------------------------------------

    def join(self) -> None:
        """Listen, and wait until all workers are there; a second call returns at once.

        Raises
        ------
        OSError
            If this worker cannot listen on its port.
        PeerLost
            If a worker is not there in time.
        ClusterError
            If the workers run different versions.
        """
        if self._wire is not None:
            return
        wire = Wire(self._workers, self._index, self._wait, self._timeout)
        self._wait_for_all()
        self._wire = wire
        try:
            with self.peers():
                wire.meet()
            self.agree(
                {
                    "Python": python_version(),
                    "TensorFlow": tf.__version__,
                    "NumPy": np.__version__,
                    "vae_tf1": vae_tf1.__version__,
                }
            )
        except BaseException:
            self._wire = None
            raise

    @property
    def wire(self) -> Wire:
        """What carries the sums; only after `join`."""
        assert self._wire is not None
        return self._wire

    def gather(self, value: Any) -> list[Any]:
        """Return what every worker has given, in JSON's types."""
        with self.peers():
            return [json.loads(text) for text in self.wire.gather(json.dumps(value))]

    def of_chief(self, value: Callable[[], Any]) -> Any:
        """Return what the chief computes, in JSON's types; the others wait for it."""
        data = json.dumps(value()).encode() if self.is_chief else b""
        return json.loads(self.bytes_of_chief(data))

    def bytes_of_chief(self, data: bytes) -> bytes:
        """Return the data that the chief has given."""
        with self.peers():
            return self.wire.from_chief(data)

    def vote(self, one: float, two: float, three: float) -> np.ndarray:
        """Return the largest of the workers' first values, of their second and third ones."""
        with self.peers():
            return self.wire.vote((one, two, three)).max(0)

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Raise a ClusterError on every worker if the facts of one differ from the chief's.

        A fact whose name ends with a star is a checksum, which no message shows.
        """
        chief, *others = self.gather(dict(facts))
        for index, other in enumerate(others, 1):
            for name in sorted(chief.keys() | other.keys()):
                if chief.get(name) != other.get(name):
                    raise ClusterError(
                        f"the workers do not train the same model: {self.name(0)} and "
                        f"{self.name(index)} differ in {name.removesuffix('*')}"
                        + ("" if name.endswith("*") else _both(chief.get(name), other.get(name)))
                    )

    @contextmanager
    def peers(self) -> Iterator[None]:
        """Turn TensorFlow's errors about other workers into `PeerLost`, said on standard error."""
        try:
            yield
        except tf.errors.OpError as error:
            if not is_about_others(error):
                raise
            late = isinstance(error, tf.errors.DeadlineExceededError)
            raise self._lost(late) from None

    def name(self, index: int) -> str:
        """Return what messages call a worker."""
        return f"worker {index} ({self._workers[index]})"

    def _lost(self, late: bool) -> PeerLost:
        absent = self._absent()
        if absent:
            what = (
                f"{_listed(map(self.name, absent))} {'has' if len(absent) == 1 else 'have'} ended"
            )
        elif late:
            others = [i for i in range(self.size) if i != self.index]
            what = f"no answer from {_listed(map(self.name, others), 'or')} in time"
        else:
            what = "another worker has left"
        return _said(
            f"{what}: {self.name(self.index)} stops too; start all workers again to go on from "
            "the last checkpoint"
        )

    def _wait_for_all(self) -> None:
        until = time.monotonic() + self._wait
        said: list[int] = []
        while absent := self._absent():
            if absent != said:
                said = absent
                _say(f"waiting for {_listed(map(self.name, absent))}")
            if time.monotonic() >= until:
                raise _said(
                    f"{_listed(map(self.name, absent))} did not come within {self._wait:g} s: "
                    f"{self.name(self.index)} stops too"
                )
            time.sleep(_LOOK_EVERY)

    def _absent(self) -> list[int]:
        """Return the workers that take no connection."""
        return [i for i in range(self.size) if i != self.index and not _listens(self._workers[i])]


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PROBE).close()
    except OSError:
        return False
    return True


def _both(one: Any, other: Any) -> str:
    return f": {one_line(json.dumps(one))} and {one_line(json.dumps(other))}"


def _listed(names: Any, word: str = "and") -> str:
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last


def _said(message: str) -> PeerLost:
    """Say a sentence on standard error: Python is silent about a SystemExit with a status."""
    _say(message)
    return PeerLost(message)


def _say(message: str) -> None:
    print(f"vae_tf1: {message}", file=sys.stderr, flush=True)
