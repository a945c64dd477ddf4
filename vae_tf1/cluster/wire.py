"""What goes over the wire: TensorFlow's server, and sums over all workers.

Everything the workers tell each other is such a sum. To tell the others something, a worker adds it
where all others add zeros, as integers, so that no bit changes.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf1.backend.notices import without_first_notices
from vae_tf1.backend.session import quiet_config
from vae_tf1.errors import reason

__all__ = ["VOTES", "Wire", "is_about_others"]

VOTES = 3  # numbers that a worker gives to a vote

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)

_JOB = "worker"
_GROUP = 1  # all workers
_CONTROL, _TRAINING = 1, 2  # sequences of runs: those with the same key keep step with each other
# Integers that are sent at a time: TensorFlow expects one shape of each key.
_BLOCKS = (1 << 12, 1 << 20)


def is_about_others(error: tf.errors.OpError) -> bool:
    """Whether a session says that another worker is gone, or has not answered in time."""
    return isinstance(error, _LOST) or "Collective ops is aborted" in str(error.message)


class Wire:
    """The server of this process, and what it exchanges with the others.

    Parameters
    ----------
    workers
        The addresses of all workers.
    index
        Which of them this is.
    wait, timeout
        Seconds that the others may take: at the start and where user code runs, and at a step.

    Raises
    ------
    OSError
        If the port is in use, or TensorFlow cannot listen.
    """

    def __init__(self, workers: Sequence[str], index: int, wait: float, timeout: float) -> None:
        self.size, self.index = len(workers), index
        self.wait, self.timeout = wait, timeout
        self._keys = 0
        self._config = quiet_config()
        # Without the filter, a session waits until it has heard of every worker, without limit.
        self._config.device_filters.append(f"/job:{_JOB}/task:{index}")
        self._config.experimental.collective_group_leader = f"/job:{_JOB}/replica:0/task:0"
        _check_free(workers[index])
        try:
            with without_first_notices("server"):
                self._server = tf.distribute.Server(
                    tf.train.ClusterSpec({_JOB: list(workers)}),
                    job_name=_JOB,
                    task_index=index,
                    protocol="grpc",
                    config=self._config,
                )
        except tf.errors.OpError as error:
            raise OSError(f"cannot listen on {workers[index]}: {reason(error)}") from None
        self._build()

    def session(self, graph: tf.Graph) -> tf.compat.v1.Session:
        """Open a session in which the graph's sums are sums over all workers."""
        return tf.compat.v1.Session(self._server.target, graph=graph, config=self._config)

    def key(self) -> int:
        """Return the number of one more sum: the workers ask for the same ones in one order."""
        self._keys += 1
        return self._keys

    def sum(self, value: tf.Tensor, key: int) -> tf.Tensor:
        """Add to the graph the sum of a tensor over all workers, the same bits for each of them."""
        # The time limit is that of the run: with one of its own, each sum would start a thread
        # that sleeps for as long.
        return tf.raw_ops.CollectiveReduceV2(
            input=value,
            group_size=self.size,
            group_key=_GROUP,
            instance_key=key,
            ordering_token=[],
            merge_op="Add",
            final_op="Id",
        )

    def of_training(self, seconds: float) -> tf.compat.v1.RunOptions:
        """Return what a run with sums in a model's session needs, at most so many seconds long."""
        return _in_step(_TRAINING, seconds)

    # What is told outside of the training's steps ------------------------------------------------

    def meet(self) -> None:
        """Make every sum for the first time, at most `wait` later.

        The workers settle a sum when they make it for the first time. TensorFlow may crash if
        a time limit ends that, so it is done while the workers are known to be there.
        """
        self._run(self._votes, {self._mine: np.zeros(self.size * VOTES)}, self.wait)
        for block in _BLOCKS:
            self._sum(np.zeros(block, np.int32))

    def vote(self, values: Sequence[float]) -> np.ndarray:
        """Return what every worker has given, (workers, VOTES); at most `timeout` later."""
        mine = np.zeros((self.size, VOTES))
        mine[self.index] = values
        votes = self._run(self._votes, {self._mine: mine.ravel()}, self.timeout)
        return votes.reshape(mine.shape)

    def gather(self, text: str) -> list[str]:
        """Return the texts that the workers have given, at most `wait` later."""
        data = text.encode()
        lengths = np.zeros(self.size, np.int32)
        lengths[self.index] = len(data)
        lengths = self._sum(lengths)
        texts = np.zeros((self.size, lengths.max()), np.int32)
        texts[self.index, : len(data)] = np.frombuffer(data, np.uint8)
        summed = self._sum(texts.ravel()).reshape(texts.shape).astype(np.uint8)
        return [row[:n].tobytes().decode() for row, n in zip(summed, lengths, strict=True)]

    def from_chief(self, data: bytes) -> bytes:
        """Return the chief's data, at most `wait` later for each block of it."""
        mine = data if self.index == 0 else b""
        (length,) = self._sum(np.array([len(mine)], np.int64).view(np.int32)).view(np.int64)
        words = np.zeros(-(-int(length) // 4), np.int32)
        words.view(np.uint8)[: len(mine)] = np.frombuffer(mine, np.uint8)
        return self._sum(words).tobytes()[:length]

    def _build(self) -> None:
        graph = tf.Graph()
        with graph.as_default():
            self._integers = [tf.compat.v1.placeholder(tf.int32, n) for n in _BLOCKS]
            self._summed = [self.sum(each, self.key()) for each in self._integers]
            self._mine = tf.compat.v1.placeholder(tf.float64, self.size * VOTES)
            self._votes = self.sum(self._mine, self.key())
        self._sess = self.session(graph)
        self._pool = ThreadPoolExecutor(1, "vae_tf1")

    def _sum(self, integers: np.ndarray) -> np.ndarray:
        """Return the sum of as many integers as one likes, in blocks of two sizes."""
        summed, done = np.empty_like(integers), 0
        while done < len(integers):
            size = int(len(integers) - done > _BLOCKS[0])
            block = integers[done : done + _BLOCKS[size]]
            padded = np.pad(block, (0, _BLOCKS[size] - len(block)))
            total = self._run(self._summed[size], {self._integers[size]: padded}, self.wait)
            summed[done : done + len(block)] = total[: len(block)]
            done += len(block)
        return summed

    def _run(self, fetch: tf.Tensor, feed: dict[tf.Tensor, Any], seconds: float) -> np.ndarray:
        """Run in another thread, so that Ctrl-C need not wait."""
        run = self._pool.submit(self._sess.run, fetch, feed, options=_in_step(_CONTROL, seconds))
        try:
            return run.result()
        except tf.errors.OpError:
            raise
        except BaseException:
            self._sess.close()  # ends the run
            raise


def _in_step(key: int, seconds: float) -> tf.compat.v1.RunOptions:
    options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, round(1000 * seconds)))
    options.experimental.collective_graph_key = key
    return options


def _check_free(address: str) -> None:
    """Raise an OSError if the port of an address is in use: TensorFlow might share it silently."""
    port = int(address.rpartition(":")[2])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            probe.listen()
        except OSError as error:
            raise OSError(f"cannot listen on {address}: {reason(error)}") from None
