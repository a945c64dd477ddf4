"""One process that trains alone, or one of several that train together.

The minibatches of a team, their order and their noise are those of one process. Each worker
computes the gradient of its rows; the sum of the gradients is the gradient of the minibatch, and
each worker makes the same update with it.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.backend.notices import without_first_notices
from vae_tf1.backend.session import open_session
from vae_tf1.backend.xla import graph_function
from vae_tf1.checkpoint.store import Saved
from vae_tf1.cluster.workers import Cluster
from vae_tf1.data.rows import Rows, as_values
from vae_tf1.errors import CheckpointError, one_line
from vae_tf1.model import noise
from vae_tf1.model.graph import Model
from vae_tf1.training.autosave import Autosave, NoAutosave
from vae_tf1.training.loop import Loop, added, is_finite

__all__ = ["Alone", "Moment", "Team", "join"]

MakeAutosave = Callable[[], Autosave]


class Moment(NamedTuple):
    """What may happen between two chunks of steps."""

    seconds: float  # that the chunk took
    signal: int | None  # that came
    stop: bool  # whether a callback has ended the training


class Alone:
    """A process that trains alone."""

    is_chief = True

    def share(self, batch_sz: int) -> slice:
        """Return which rows of a minibatch are this process's."""
        return slice(0, batch_sz)

    def loop(self, model: Model, batch_sz: int, rows: Rows, capacity: int, compiled: bool) -> Loop:
        """Return the loop."""
        return Loop(model, batch_sz, rows, capacity, compiled)

    def autosave(self, make: MakeAutosave, path: Any) -> NoAutosave:
        """Return where checkpoints go."""
        return make()

    def seed(self, given: int | None) -> int:
        """Return the seed, given or not."""
        return noise.chosen_seed(given)

    def session(self, graph: tf.Graph) -> tf.compat.v1.Session:
        """Open a session."""
        return open_session(graph)

    def agree(self, model: Model, facts: Callable[[], Mapping[str, Any]]) -> None:
        """Check that the workers do the same."""

    def of_chief(self, value: Callable[[], Any]) -> Any:
        """Return what the chief computes."""
        return value()

    def at(self, moment: Moment) -> Moment:
        """Return what happens at this moment, for all workers."""
        return moment

    def wait(self) -> None:
        """Wait for all workers."""


class Team(Alone):
    """One of several workers.

    Parameters
    ----------
    cluster
        The workers; they have joined.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.is_chief = cluster.is_chief

    def share(self, batch_sz: int) -> slice:
        """Return which rows of a minibatch are this worker's: as many as another's, or one more.

        Raises
        ------
        ValueError
            If there are fewer rows than workers.
        """
        size, index = self._cluster.size, self._cluster.index
        if batch_sz < size:
            raise ValueError(f"a batch of {batch_sz} has no row for each of {size} workers")
        return slice(batch_sz * index // size, batch_sz * (index + 1) // size)

    def loop(self, model: Model, batch_sz: int, rows: Rows, capacity: int, compiled: bool) -> Loop:
        """Return the loop."""
        share = self.share(batch_sz)
        return SharedLoop(model, batch_sz, rows, capacity, compiled, self._cluster, share)

    def autosave(self, make: MakeAutosave, path: Any) -> NoAutosave:
        """Return where checkpoints go: only the chief writes."""
        return _Chief(self._cluster, make()) if self.is_chief else _Follower(self._cluster, path)

    def seed(self, given: int | None) -> int:
        """Return the seed of all workers: the one that all were given, else one of the chief's.

        Raises
        ------
        ClusterError
            If the workers were given different ones.
        """
        self._cluster.agree({"seed": given})
        return self._cluster.of_chief(noise.entropy) if given is None else given

    def session(self, graph: tf.Graph) -> tf.compat.v1.Session:
        """Open a session in which the graph's sums are sums over all workers."""
        return self._cluster.wire.session(graph)

    def agree(self, model: Model, facts: Callable[[], Mapping[str, Any]]) -> None:
        """Check that the workers do the same.

        Raises
        ------
        ClusterError
            On every worker, if one has other data, options or weights than the chief.
        """
        variables = [*model.variables, *model.updates.changing(model.variables), model.global_step]
        weights = hashlib.sha256(b"".join(v.tobytes() for v in model.sess.run(variables)))
        self._cluster.agree({**facts(), "weights*": weights.hexdigest()})

    def of_chief(self, value: Callable[[], Any]) -> Any:
        """Return what the chief computes, in JSON's types."""
        return self._cluster.of_chief(value)

    def at(self, moment: Moment) -> Moment:
        """Return what happens at this moment, for all workers: the slowest, any signal or stop."""
        seconds, signal, stop = self._cluster.vote(
            moment.seconds, moment.signal or 0, float(moment.stop)
        )
        return Moment(float(seconds), int(signal) or None, bool(stop))

    def wait(self) -> None:
        """Wait for all workers."""
        self._cluster.gather(None)


def join(cluster: Cluster | None) -> Alone:
    """Return what trains the model, once all workers of a cluster are there.

    Raises
    ------
    TypeError
        If `cluster` is something else.
    OSError, PeerLost, ClusterError
        As for `Cluster.join`.
    """
    if cluster is None:
        return Alone()
    if not isinstance(cluster, Cluster):
        raise TypeError(f"cluster must be a vae_tf1.Cluster, not {one_line(repr(cluster))}")
    if cluster.size == 1:
        return Alone()
    cluster.join()
    return Team(cluster)


class SharedLoop(Loop):
    """Training steps of which each worker computes its share.

    Parameters
    ----------
    model, batch_sz, rows, capacity, compiled
        As for `Loop`. With `compiled`, what a step does before and after the sum is compiled.
    cluster
        The workers.
    share
        Which rows of a minibatch are this worker's.
    """

    def __init__(
        self,
        model: Model,
        batch_sz: int,
        rows: Rows,
        capacity: int,
        compiled: bool,
        cluster: Cluster,
        share: slice,
    ) -> None:
        self._cluster, self._share = cluster, share
        self._key, self._seconds = cluster.wire.key(), cluster.wire.wait
        self._shapes = [tuple(variable.shape.as_list()) for variable in model.variables]
        super().__init__(model, batch_sz, rows, capacity, compiled)

    def run(self, images: np.ndarray) -> np.ndarray:
        """Train on this worker's images of each step; return the ELBO of each whole step."""
        with self._cluster.peers():
            return super().run(images)

    def prepare(self) -> None:
        """Compile now, by a step that is taken back; no other step has to wait for that.

        It also settles the sum, at most `wait` later.
        """
        before = self._model.sess.run(self._before)
        image = np.zeros((1, *self._images.shape.as_list()[1:]), self._dtype)
        with without_first_notices("compiling"), self._cluster.peers():
            elbos, _ = self._call(image)
        self._put_back(before, len(elbos))
        self._seconds = self._cluster.wire.timeout

    @property
    def _n_rows(self) -> int:
        return self._share.stop - self._share.start

    @property
    def _options(self) -> tf.compat.v1.RunOptions | None:
        return self._cluster.wire.of_training(self._seconds)

    def _trained(self) -> tuple[tf.Tensor, tf.Tensor]:
        summand = graph_function(self._summand, self.compiled)
        update = graph_function(self._update, self.compiled)
        wire = self._cluster.wire

        def train(images, steps):
            def step(i, elbos, finite, total):
                # XLA would join them number by number; TensorFlow copies.
                local = tf.concat(summand(images[i], self._epsilon(i), i), 0)
                total = wire.sum(local, self._key)
                finite = update(total, i)
                with tf.control_dependencies([finite]):
                    elbos = tf.tensor_scatter_nd_update(elbos, [[i]], total[:1])
                    return i + 1, elbos, finite, total

            i, elbos, finite, total = tf.while_loop(
                lambda i, elbos, finite, total: (i < steps) & finite,
                step,
                (0, tf.zeros(self.capacity), True, tf.zeros(self._n_summed)),
                parallel_iterations=1,
            )
            model, last = self._model, i - 1
            _, gradients = self._parts(total)
            with tf.control_dependencies(
                model.updates.finish(
                    model.variables, gradients, self._rate(last), where=finite & (i > 0)
                )
            ):
                return elbos, i - tf.cast(~finite, tf.int32)

        return graph_function(train, compiled=False)(self._images, self._steps)

    def _epsilon(self, i) -> tf.Tensor:
        """Return this worker's rows of the noise of the i-th step of this call."""
        model, k = self._model, self._model.objective.importance_samples
        epsilon = noise.standard_normal_rows(
            model.noise_key.read_value(),
            self._step(i)(),
            0,
            (self.batch_sz * k, model.M),
            slice(self._share.start * k, self._share.stop * k),
        )
        return epsilon if k == 1 else tf.reshape(epsilon, (-1, k, model.M))

    def _summand(self, images, epsilon, i) -> list[tf.Tensor]:
        """Return the ELBO and the gradients of this worker's rows, a vector each."""
        x = as_values(tf.cast(images, tf.float32), self._levels)
        elbo, halves = self._gradients(x, epsilon, i)
        return [elbo[tf.newaxis], *(tf.reshape(g, [-1]) for g in added(halves))]

    def _update(self, total, i) -> tf.Tensor:
        """Make the step, unless it is not finite; return whether it is."""
        model = self._model
        elbo, gradients = self._parts(total)
        rate = self._rate(i)
        finite = is_finite(elbo, gradients, rate)
        with tf.control_dependencies(
            model.updates.apply(model.variables, gradients, rate, where=finite)
        ):
            return tf.identity(finite)

    @property
    def _n_summed(self) -> int:
        return 1 + sum(map(math.prod, self._shapes))

    def _parts(self, total: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return the ELBO and the gradients that a vector of `_summand` holds."""
        elbo, *flat = tf.split(total, [1, *map(math.prod, self._shapes)])
        gradients = zip(flat, self._shapes, strict=True)
        return elbo[0], [tf.reshape(gradient, shape) for gradient, shape in gradients]


class _Chief(NoAutosave):
    """The checkpoints of a cluster, written by the chief alone, and told to the others."""

    def __init__(self, cluster: Cluster, autosave: Autosave) -> None:
        self._cluster, self._autosave = cluster, autosave
        self.path, self.workers = autosave.path, cluster.size

    def open(self) -> Saved | None:
        try:
            saved = self._autosave.open()
        except CheckpointError as error:
            self._tell(str(error))
            raise
        self._tell()
        self._cluster.bytes_of_chief(b"" if saved is None else _packed(saved))
        return saved

    def close(self) -> None:
        self._autosave.close()

    def is_due(self) -> bool:
        return self._autosave.is_due()

    def save(self, step: int, fit: dict[str, Any]) -> None:
        try:
            self._autosave.save(step, fit)
        except CheckpointError as error:
            self._tell(str(error))
            raise
        self._tell()

    def save_if_possible(self, step: int, fit: dict[str, Any]) -> None:
        self._autosave.save_if_possible(step, fit)

    def save_best(self) -> None:
        self._autosave.save_best()

    def _tell(self, problem: str | None = None) -> None:
        self._cluster.of_chief(lambda: problem)


class _Follower(NoAutosave):
    """The checkpoints of a cluster, as a worker knows them that does not write."""

    def __init__(self, cluster: Cluster, path: Any) -> None:
        self._cluster = cluster
        self.path, self.workers = path, cluster.size

    def open(self) -> Saved | None:
        self._hear()
        data = self._cluster.bytes_of_chief(b"")
        return _unpacked(data) if data else None

    def save(self, step: int, fit: dict[str, Any]) -> None:
        self._hear()

    def _hear(self) -> None:
        problem = self._cluster.of_chief(lambda: None)
        if problem is not None:
            raise CheckpointError(f"{self._cluster.name(0)}: {problem}")


_MANIFEST = "manifest"


def _packed(saved: Saved) -> bytes:
    file = io.BytesIO()
    text = json.dumps([str(saved.prefix), saved.manifest]).encode()
    arrays: Any = {**saved.tensors, _MANIFEST: np.frombuffer(text, np.uint8)}
    np.savez(file, **arrays)
    return file.getvalue()


def _unpacked(data: bytes) -> Saved:
    with np.load(io.BytesIO(data)) as file:
        tensors = dict(file)
    prefix, manifest = json.loads(tensors.pop(_MANIFEST).tobytes())
    return Saved(Path(prefix), tensors, manifest)
