"""Many training steps in one call of the session.

A step is the original's: a minibatch, its ELBO, the gradient, the optimizer. New is only the place
of the loop: many steps are one call of the session, compiled by XLA, so that Python, the feed and
the launch of each kernel are paid once a chunk instead of once a step.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import tensorflow as tf

from vae_tf1.backend import matmul
from vae_tf1.backend.notices import without_deprecation_notices, without_first_notices
from vae_tf1.backend.xla import graph_function
from vae_tf1.data.rows import Rows, as_values
from vae_tf1.model import noise
from vae_tf1.model.graph import Model
from vae_tf1.model.optimizers import Rate

__all__ = ["Loop", "added", "is_finite"]

# Images a step from which on a minibatch is halved: products of fewer rows are not worth it.
_WORTH_HALVING = 32


class Loop:
    """Up to `capacity` training steps in one call of the session.

    Built from the model's one definition of the ELBO and on the very slots of its optimizer.

    Parameters
    ----------
    model
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
        self, model: Model, batch_sz: int, rows: Rows, capacity: int, compiled: bool
    ) -> None:
        self.batch_sz, self.capacity, self.compiled = batch_sz, capacity, compiled
        self._model, self._levels = model, rows.levels
        n = self._n_rows
        halved = compiled and n > 1 and n * model.objective.importance_samples >= _WORTH_HALVING
        self._sizes = [n // 2, -(-n // 2)] if halved else [n]
        shape = capacity, n, model.width
        with model.graph.as_default(), tf.name_scope("fit"), without_deprecation_notices():
            self._images = tf.compat.v1.placeholder(rows.dtype, shape, name="images")
            self._steps = tf.compat.v1.placeholder(tf.int32, (), name="steps")
            elbos, done = self._trained()
            with tf.control_dependencies([elbos]):
                counted = model.counters.count(tf.cast(done, tf.int64))
            with tf.control_dependencies([counted]):
                finite = tf.reduce_all(
                    [
                        tf.reduce_all(tf.math.is_finite(variable.read_value()))
                        for variable in self._changing
                        if variable.dtype.is_floating
                    ]
                )
            self._fetches = (elbos, done, finite)
            self._before = [variable.read_value() for variable in self._changing]

    @property
    def _n_rows(self) -> int:
        """How many rows of each minibatch this process trains on: all."""
        return self.batch_sz

    @property
    def _changing(self) -> list[tf.Variable]:
        """What a step changes and the next one reads."""
        variables = self._model.variables
        return [*variables, *self._model.updates.changing(variables)]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Train on images [steps, batch, D]; return the ELBO of each step that was made.

        Fewer than were asked for means that the next step is not finite in its ELBO, its gradient
        or what the update makes of it; the model is as it was before that step.
        """
        sess = self._model.sess
        before = sess.run(self._before)
        try:
            elbos, finite = self._call(images)
        except tf.errors.OpError:  # of memory, say: some of the steps may have been made
            self._put_back(before, 0)
            raise
        stopped = len(elbos) < len(images)
        spoilt = stopped and not self._model.updates.guarded
        if finite and not spoilt:
            return elbos
        self._put_back(before, len(elbos))
        if len(images) == 1:
            return elbos[:0]
        if spoilt:  # The step at which the loop ended has been applied: make those before it again.
            return self.run(images[: len(elbos)]) if len(elbos) else elbos
        # A product overflowed that the loop does not look at: find the step.
        found: list[np.ndarray] = []
        for step in range(len(images)):
            found.append(self.run(images[step : step + 1]))
            if not len(found[-1]):
                break
        return np.concatenate(found)

    def prepare(self) -> None:
        """Compile now, so that no chunk has to wait for it."""
        with without_first_notices("compiling"):
            self._call(np.zeros((0, *self._images.shape.as_list()[1:]), self._dtype))

    def _call(self, images: np.ndarray) -> tuple[np.ndarray, bool]:
        steps = len(images)
        if steps < self.capacity:
            whole = np.zeros(self._images.shape.as_list(), self._dtype)
            whole[:steps] = images
            images = whole
        elbos, done, finite = self._model.sess.run(
            self._fetches, {self._images: images, self._steps: steps}, options=self._options
        )
        return elbos[:done], bool(finite)

    @property
    def _options(self) -> tf.compat.v1.RunOptions | None:
        """The options of a run of the loop."""
        return None

    @property
    def _dtype(self) -> np.dtype:
        return np.dtype(self._images.dtype.as_numpy_dtype)

    def _put_back(self, values: list[np.ndarray], steps: int) -> None:
        model = self._model
        step = model.sess.run(model.global_step) - steps
        variables = [*self._changing, model.global_step]
        model.sess.run(
            [variable.initializer for variable in variables],
            {
                variable.initializer.inputs[1]: value
                for variable, value in zip(variables, [*values, step], strict=True)
            },
        )

    # The graph of the loop -----------------------------------------------------------------------

    def _trained(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Add the loop to the graph: the ELBO of each step, and how many steps were made."""
        model, k = self._model, self._model.objective.importance_samples
        # Drawn outside the compiled loop, where it costs a third of what it does inside.
        epsilon = noise.standard_normal(
            model.noise_key.read_value(),
            model.global_step.read_value(),
            0,
            (self.capacity, self.batch_sz * k, model.M),
        )
        if k > 1:
            epsilon = tf.reshape(epsilon, (self.capacity, self.batch_sz, k, model.M))
        return graph_function(self._train, self.compiled)(self._images, epsilon, self._steps)

    def _train(self, images, epsilon, steps):
        """Run the steps: the ELBO of each, [capacity], and how many there were.

        The loop ends at a step whose ELBO or gradients are not finite; no weight has changed there.
        """
        model = self._model

        def step(i, elbos, finite, halves):
            x = as_values(tf.cast(images[i], tf.float32), self._levels)
            elbo, halves = self._gradients(x, epsilon[i], i)
            gradients, rate = added(halves), self._rate(i)
            finite = is_finite(elbo, gradients, rate)
            with tf.control_dependencies(
                model.updates.apply(model.variables, gradients, rate, where=finite)
            ):
                return i + 1, tf.tensor_scatter_nd_update(elbos, [[i]], [elbo]), finite, halves

        zeros = [tf.zeros(variable.shape) for variable in model.variables]
        i, elbos, finite, halves = tf.while_loop(
            lambda i, elbos, finite, halves: (i < steps) & finite,
            step,
            (0, tf.zeros(self.capacity), True, [zeros] * len(self._sizes)),
            parallel_iterations=1,
        )
        last = added(halves), self._rate(i - 1)
        with tf.control_dependencies(
            model.updates.finish(model.variables, *last, where=finite & (i > 0))
        ):
            return elbos, i - tf.cast(~finite, tf.int32)

    def _step(self, i):
        """Return a function of nothing that reads the global step of the i-th step of this call."""
        return lambda: self._model.global_step.read_value() + tf.cast(i, tf.int64)

    def _rate(self, i):
        """Return the learning rate of the i-th step of this call."""
        return self._model.updates.rate(self._step(i))

    def _gradients(self, x, epsilon, i):
        """Return the ELBO of a minibatch, and the gradients of its bound as those of each half.

        The halves share nothing but the weights, so that two processors work side by side where
        one product is too small for both.
        """
        halves = zip(tf.split(x, self._sizes), tf.split(epsilon, self._sizes), strict=True)
        with matmul.for_xla() if self.compiled else nullcontext():
            bounds = [self._model.bounds(*half, self._step(i)) for half in halves]
        gradients = [
            tf.gradients(-bound.trained, self._model.variables, unconnected_gradients="zero")
            for bound in bounds
        ]
        return tf.add_n([bound.elbo for bound in bounds]), gradients


def is_finite(elbo: tf.Tensor, gradients: list[tf.Tensor], rate: Rate) -> tf.Tensor:
    """Return whether a step may be made."""
    # A non-finite weight gradient nearly always shows in the bias gradients, which are
    # tiny: check only them here, and everything at the end of the call.
    biases = [gradient for gradient in gradients if gradient.shape.rank == 1]
    rates = [[rate]] if tf.is_tensor(rate) else []
    return tf.reduce_all(tf.math.is_finite(tf.concat([[elbo], *biases, *rates], 0)))


def added(halves: list[list[tf.Tensor]]) -> list[tf.Tensor]:
    """Return the gradients of a minibatch, given those of its halves."""
    return [tf.add_n(gradients) for gradients in zip(*halves, strict=True)]
