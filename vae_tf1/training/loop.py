"""The training loop: minibatches in, chunks of steps inside the graph, progress out.

A step is the original's: a minibatch, its ELBO, the gradient, RMSProp. What is new is only where
the loop runs: many steps are one call of the session, compiled by XLA, so that Python, the feed
and the launch of each kernel are paid once a chunk instead of once a step.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.backend import matmul as products
from vae_tf1.backend.deprecations import without_deprecation_warnings
from vae_tf1.backend.xla import compiled_or_not, graph_function
from vae_tf1.data.prefetch import run_ahead
from vae_tf1.data.rows import ArrayLike, Rows, as_rows, as_values, check_count
from vae_tf1.model import noise
from vae_tf1.model.rmsprop import update, write_momentum
from vae_tf1.training.interrupts import Interrupts
from vae_tf1.training.progress import Progress
from vae_tf1.training.run import Run

if TYPE_CHECKING:
    from os import PathLike

    from vae_tf1.autoencoder import VariationalAutoencoder

_CHUNK_SECONDS = 0.4  # a chunk is how long Ctrl-C and the progress bar have to wait
_CHUNK_BYTES = 32 << 20
_FLOPS_PER_SECOND = 60e9  # of a laptop; only a first guess, the clock corrects it
_SECONDS_PER_STEP = 0.4e-3  # what a step costs without XLA, however small the model
_WORTH_COMPILING = 2.0  # seconds of training; compiling takes about one
_WORTH_HALVING = 32  # images a step; a product of fewer rows is not worth its overhead


class Chunk(NamedTuple):
    """Some consecutive steps: their place in the schedule and their images."""

    epoch: int
    first: int  # step within the epoch
    images: np.ndarray  # [steps, batch, D]


class Schedule:
    """Which images each step sees: a function of (seed, epoch, step) alone.

    Parameters
    ----------
    rows
        The images.
    batch_sz
        Images a step; the ragged rest of an epoch is left out.
    seed
        Keys the order of the images.
    """

    def __init__(self, rows: Rows, batch_sz: int, seed: int) -> None:
        self.rows, self.batch_sz, self.seed = rows, batch_sz, seed
        self.n_batches = len(rows) // batch_sz
        self._ordered: int | None = None  # the epoch of which `_order` is

    def chunks(self, epoch: int, step: int, last_epoch: int, pace: Pace) -> Iterator[Chunk]:
        """Yield the chunks from (epoch, step) on, gathering each while the one before it runs."""
        return run_ahead(self._gather, self._spans(epoch, step, last_epoch, pace))

    def _spans(self, epoch: int, step: int, last_epoch: int, pace: Pace) -> Iterator[tuple]:
        while epoch < last_epoch:
            while step < self.n_batches:
                stop = min(step + pace.steps, self.n_batches)
                yield epoch, step, stop
                step = stop
            epoch, step = epoch + 1, 0

    def _gather(self, epoch: int, step: int, stop: int) -> Chunk:
        if self._ordered != epoch:
            self._ordered, self._order = epoch, None  # room for the next one
            self._order = noise.minibatch_order(self.seed, epoch, len(self.rows))
        images = self.rows.take(self._order[step * self.batch_sz : stop * self.batch_sz])
        return Chunk(epoch, step, images.reshape(stop - step, self.batch_sz, -1))


class Pace:
    """How many steps a chunk has: as many as fit into `_CHUNK_SECONDS` on this machine."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.steps = max(1, capacity // 8)

    def observe(self, steps: int, seconds: float) -> None:
        """Learn from a chunk that took so long; grow gently, shrink at once."""
        fitting = int(steps * _CHUNK_SECONDS / max(seconds, 1e-6))
        self.steps = max(1, min(self.capacity, fitting, 2 * max(self.steps, steps)))


class Loop:
    """Up to `capacity` training steps in one call of the session.

    Built from the model's one definition of the ELBO and on the very slots of its optimizer.

    Parameters
    ----------
    vae
        The model.
    batch_sz
        Images a step.
    rows
        The data, for its dtype and levels.
    capacity
        The most steps of a call. Fewer run without another compilation.
    compiled
        Whether XLA compiles the loop.
    """

    def __init__(
        self, vae: VariationalAutoencoder, batch_sz: int, rows: Rows, capacity: int, compiled: bool
    ) -> None:
        self.capacity, self.compiled, self._levels = capacity, compiled, rows.levels
        self.pace = Pace(capacity)
        self._vae, self._empty = vae, np.zeros((capacity, batch_sz, vae.D), rows.dtype)
        halved = compiled and batch_sz >= _WORTH_HALVING
        self._sizes = [batch_sz // 2, -(-batch_sz // 2)] if halved else [batch_sz]
        with vae.graph.as_default(), tf.name_scope("fit"), without_deprecation_warnings():
            self._images = tf.compat.v1.placeholder(rows.dtype, self._empty.shape, name="images")
            self._steps = tf.compat.v1.placeholder(tf.int32, (), name="steps")
            # Drawn outside the compiled loop, where it costs a third of what it does inside.
            epsilon = noise.standard_normal(
                vae.noise_key.read_value(),
                vae.global_step.read_value(),
                0,
                (capacity, batch_sz, vae.hidden_layer_sizes[-1]),
            )
            run = graph_function(self._train, compiled)
            elbos, done = run(self._images, epsilon, self._steps)
            with tf.control_dependencies([elbos]):
                counted = vae.count_steps(tf.cast(done, tf.int64))
            self._fetches = (elbos, done, counted)

    def _train(self, images, epsilon, steps):
        """Run the steps: the ELBO of each, [capacity], and how many there were.

        The loop ends at a step whose ELBO or gradients are not finite; no weight has changed there.
        """
        vae = self._vae

        def step(i, elbos, finite, halves):
            x = as_values(tf.cast(images[i], tf.float32), self._levels)
            elbo, halves = self._gradients(x, epsilon[i])
            gradients = _added(halves)
            # Those of the biases are sums of what the others are products of, and a few numbers.
            biases = [gradient for gradient in gradients if gradient.shape.rank == 1]
            finite = tf.reduce_all(tf.math.is_finite(tf.concat([[elbo], *biases], 0)))
            with tf.control_dependencies(
                update(vae.optimizer, vae.variables, gradients, where=finite)
            ):
                return i + 1, tf.tensor_scatter_nd_update(elbos, [[i]], [elbo]), finite, halves

        zeros = [tf.zeros(variable.shape) for variable in vae.variables]
        i, elbos, finite, halves = tf.while_loop(
            lambda i, elbos, finite, halves: (i < steps) & finite,
            step,
            (0, tf.zeros(self.capacity), True, [zeros] * len(self._sizes)),
            parallel_iterations=1,
        )
        with tf.control_dependencies(
            write_momentum(vae.optimizer, vae.variables, _added(halves), where=finite & (i > 0))
        ):
            return elbos, i - tf.cast(~finite, tf.int32)

    def _gradients(self, x, epsilon):
        """Return the ELBO of a minibatch, and its gradients as those of each half.

        The halves share nothing but the weights, so that two processors work side by side where
        one product is too small for both.
        """
        halves = zip(tf.split(x, self._sizes), tf.split(epsilon, self._sizes), strict=True)
        with products.for_xla() if self.compiled else nullcontext():
            elbos = [self._vae.forward(*half).elbo for half in halves]
        gradients = [tf.gradients(-elbo, self._vae.variables) for elbo in elbos]
        return tf.add_n(elbos), gradients

    def run(self, images: np.ndarray) -> np.ndarray:
        """Train on images [steps, batch, D]; return the ELBO of each step that was made.

        Fewer than were asked for means that the ELBO of the next one was not finite.
        """
        steps = len(images)
        if steps < self.capacity:
            images = np.concatenate([images, self._empty[steps:]])
        elbos, done, _ = self._vae.sess.run(
            self._fetches, {self._images: images, self._steps: steps}
        )
        return elbos[:done]

    def prepare(self) -> None:
        """Compile now, so that no chunk has to wait for it."""
        self.run(self._empty[:0])


def _added(halves: list[list[tf.Tensor]]) -> list[tf.Tensor]:
    return [tf.add_n(gradients) for gradients in zip(*halves, strict=True)]


def train(
    vae: VariationalAutoencoder,
    X: ArrayLike,
    epochs: int,
    batch_sz: int,
    *,
    show_progress: bool,
    compile: bool | None,
    checkpoint_dir: str | PathLike | None,
    save_every: float,
    keep: int,
) -> list[float]:
    """Train `vae`; see `VariationalAutoencoder.fit`, whose arguments these are."""
    epochs = check_count(epochs, "epochs")
    batch_sz = check_count(batch_sz, "batch_sz")
    rows = as_rows(X, vae.D)
    n_batches = len(rows) // batch_sz
    if n_batches == 0:
        raise ValueError(f"X has {len(rows)} rows, fewer than one batch of {batch_sz}")
    if compile is None:
        seconds = epochs * n_batches * _seconds_per_step(vae, batch_sz)
        compile = seconds > _WORTH_COMPILING

    signals = [signal.SIGINT] if checkpoint_dir is None else [signal.SIGINT, signal.SIGTERM]
    with (
        Interrupts(*signals) as interrupts,  # around the run, whose last act is to save
        Run(vae, rows, batch_sz, checkpoint_dir, save_every, keep) as run,
    ):
        schedule = Schedule(rows, batch_sz, vae.seed)
        epoch, step = divmod(run.steps_done, n_batches)
        epoch += run.first_epoch
        last_epoch = run.first_epoch + epochs
        if epoch >= last_epoch:
            if show_progress:
                print(f"nothing left to train: {epoch - run.first_epoch} epochs are done")
            return run.costs
        loop = _loop(vae, batch_sz, rows, compile, interrupts)
        with (
            Progress(epochs, n_batches, show_progress, run.steps_done) as progress,
            closing(schedule.chunks(epoch, step, last_epoch, loop.pace)) as chunks,
        ):
            for chunk in chunks:
                began = time.perf_counter()
                elbos = loop.run(chunk.images)
                loop.pace.observe(len(chunk.images), time.perf_counter() - began)
                costs = (elbos / batch_sz).tolist()
                run.advance(costs, epochs_done=(chunk.first + len(costs)) // n_batches)
                progress.advance(costs)
                if len(elbos) < len(chunk.images):
                    raise FloatingPointError(
                        f"the ELBO is no longer finite at step {run.steps_done + 1:,}, in epoch "
                        f"{chunk.epoch + 1}; the weights are those before that step"
                    )
                asked_to_stop = (
                    interrupts.received is not None
                )  # once: a signal may come at any time
                run.save_if_due(now=asked_to_stop)
                if asked_to_stop:
                    interrupts.deliver()
        return run.costs


def _loop(
    vae: VariationalAutoencoder, batch_sz: int, rows: Rows, compiled: bool, interrupts: Interrupts
) -> Loop:
    """Return the loop for this kind of data, ready to run; built once per model."""

    def build(compiled: bool) -> Loop:
        loop = Loop(vae, batch_sz, rows, _capacity(vae, batch_sz, rows), compiled)
        interrupts.wait_for(loop.prepare)  # two seconds where XLA compiles
        return loop

    kind = (batch_sz, rows.dtype, rows.levels)
    return compiled_or_not(vae.loops, kind, build, compiled, "the training")


def _capacity(vae: VariationalAutoencoder, batch_sz: int, rows: Rows) -> int:
    """Return how many steps a chunk may have: a power of two, bounded in time and in memory."""
    by_time = _CHUNK_SECONDS / _seconds_per_step(vae, batch_sz)
    step_bytes = batch_sz * (vae.D * rows.dtype.itemsize + 4 * vae.hidden_layer_sizes[-1])
    return 2 ** max(0, min(9, math.floor(math.log2(min(by_time, _CHUNK_BYTES / step_bytes)))))


def _seconds_per_step(vae: VariationalAutoencoder, batch_sz: int) -> float:
    """Estimate a step without XLA: three products a weight and image, two operations each."""
    weights = sum(math.prod(variable.shape) for variable in vae.variables)
    return _SECONDS_PER_STEP + 6 * weights * batch_sz / _FLOPS_PER_SECOND
