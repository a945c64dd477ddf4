"""Any number of rows through the model, in bounded memory and on all processors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.backend.memory import keep_freed_memory
from vae_tf1.backend.notices import without_deprecation_notices, without_first_notices
from vae_tf1.backend.xla import Compiled, graph_function
from vae_tf1.data.prefetch import prefetch
from vae_tf1.data.rows import Rows, as_values
from vae_tf1.model import noise
from vae_tf1.model.graph import Model

__all__ = ["Evaluation", "Inference"]

# Bytes of a block, float32 of the widest layer; see docs/decisions/inference-blocks.md
_BLOCK_BYTES = 6 << 20
_SIDE_BY_SIDE = 3  # blocks: while one is copied in or out, the others are multiplied
_WORTH_COMPILING = 16  # blocks: with fewer, compiling takes longer than the quarter that it saves


class Evaluation(NamedTuple):
    """Mean nats per image: ``elbo = reconstruction - kl``."""

    elbo: float
    reconstruction: float
    kl: float


class Inference:
    """Runs rows through a model, some blocks at a time; keeps what it has added to the graph.

    Parameters
    ----------
    model
        The model.
    block_bytes
        Size of a block, as float32 values of the model's widest layer.
    side_by_side
        How many blocks run at a time.
    worth_compiling
        From how many blocks on an evaluation is compiled.
    """

    def __init__(
        self,
        model: Model,
        *,
        block_bytes: int = _BLOCK_BYTES,
        side_by_side: int = _SIDE_BY_SIDE,
        worth_compiling: int = _WORTH_COMPILING,
    ) -> None:
        self._model = model
        self.block_rows = max(1, block_bytes // (4 * model.widest))
        self._side_by_side, self._worth_compiling = side_by_side, worth_compiling
        self._evaluations: Compiled[Callable] = Compiled(model.graph, "the evaluation")

    def run(
        self, fetch: tf.Tensor, placeholder: tf.Tensor, rows: Rows, *, random: bool = False
    ) -> np.ndarray:
        """Run `fetch` on all rows: (N, …) to (N, …).

        If it is `random`, the blocks run one after the other, so that the samples are drawn in the
        order of the rows.
        """
        result = np.empty((len(rows), fetch.shape[1]), fetch.dtype.as_numpy_dtype)

        def run(block: slice, taken: np.ndarray) -> None:
            values = as_values(taken.astype(np.float32, copy=False), rows.levels)
            result[block] = self._model.sess.run(fetch, {placeholder: values})

        for _ in prefetch(run, self._taken(rows), 1 if random else self._side_by_side):
            pass
        return result

    def sample_prior(
        self, n: int, labels: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return `n` samples of the prior predictive and their means, (n, D) each."""
        model = self._model
        fetches = (model.prior_predictive, model.prior_predictive_probs)
        samples, means = (np.empty((n, model.D), fetch.dtype.as_numpy_dtype) for fetch in fetches)
        for block in self._blocks(n):
            feed = {model.n_prior_samples: block.stop - block.start}
            if labels is not None:
                feed[model.labels] = labels[block]
            samples[block], means[block] = model.sess.run(fetches, feed)
        return samples, means

    def evaluate(self, rows: Rows) -> Evaluation:
        """Return ELBO, reconstruction and KL, each the mean over the rows, in nats."""
        size = self.block_rows
        n_blocks, rest = divmod(len(rows), size)
        terms = {}
        if n_blocks:
            terms[size] = self._evaluation(rows, size, n_blocks >= self._worth_compiling)
        if rest:
            terms[rest] = self._evaluation(rows, None, False)

        def run(block: slice, taken: np.ndarray) -> np.ndarray:
            return np.asarray(
                np.sum(terms[len(taken)](taken, block.start), axis=1, dtype=np.float64)
            )

        total = sum(prefetch(run, self._taken(rows), self._side_by_side), start=np.zeros(2))
        log_likelihood, kl = (total / len(rows)).tolist()
        return Evaluation(log_likelihood - kl, log_likelihood, kl)

    def _taken(self, rows: Rows) -> Iterator[tuple[slice, np.ndarray]]:
        return ((block, rows.take(block)) for block in self._blocks(len(rows)))

    def _blocks(self, n: int) -> Iterator[slice]:
        size = self.block_rows
        if n > size:
            keep_freed_memory()
        return (slice(start, min(start + size, n)) for start in range(0, n, size))

    def _evaluation(self, rows: Rows, n: int | None, compiled: bool) -> Callable:
        """Return a function of `n` rows (None: any number) and of the index of the first.

        The function returns the terms of the ELBO of each row, with noise that is keyed by the row.
        """

        def build(compiled: bool) -> Callable:
            evaluation = self._build_evaluation(rows, n, compiled)
            if compiled:
                with without_first_notices("compiling"):
                    evaluation(np.zeros((n, self._model.width), rows.dtype), 0)
            return evaluation

        return self._evaluations.get((rows.dtype, rows.levels, n), build, compiled)

    def _build_evaluation(self, rows: Rows, n: int | None, compiled: bool) -> Callable:
        model, levels = self._model, rows.levels
        with model.graph.as_default(), tf.name_scope("evaluate"), without_deprecation_notices():
            # XLA would compile again for every other number of rows: a block has a fixed one.
            images = tf.compat.v1.placeholder(rows.dtype, (n, model.width), name="images")
            first = tf.compat.v1.placeholder(tf.int64, (), name="first")
            shape = (n or tf.shape(images)[0], 1, model.M)
            key = model.noise_key.read_value()
            uniform = noise.uniform(key, first, noise.EVALUATION, shape)[:, 0]

            def values(images: tf.Tensor) -> tf.Tensor:
                return as_values(tf.cast(images, tf.float32), levels)

            def latent(encoded: tf.Tensor, uniform: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                _, _, Z, kl = model.latent(encoded, noise.normal_quantile(uniform))
                return Z, kl

            def log_likelihood(images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
                return model.likelihood.log_prob(model.images(values(images)), logits)

            # Compile what is between the products: TensorFlow's own kernels multiply faster.
            Z, kl = graph_function(latent, compiled)(model.encode(values(images)), uniform)
            if model.n_labels is not None:
                Z = model.given(Z, values(images))
            logits = model.decode(Z)
            terms = graph_function(log_likelihood, compiled)(images, logits), kl
        return lambda taken, start: model.sess.run(terms, {images: taken, first: start})
