"""Any number of rows through the model, in bounded memory and on all processors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from vae_tf1.backend.deprecations import without_deprecation_warnings
from vae_tf1.backend.xla import compiled_or_not, graph_function
from vae_tf1.data.prefetch import run_ahead
from vae_tf1.data.rows import ArrayLike, Rows, as_rows, as_values
from vae_tf1.model import noise
from vae_tf1.model.bernoulli import bernoulli_log_likelihood

if TYPE_CHECKING:
    from vae_tf1.autoencoder import VariationalAutoencoder

# Of the widest layer's float32 values: large products, yet inside the cache; and small enough that
# those in flight fit into one of glibc's heaps, of 64 MiB, which else make and delete a second one.
_BLOCK_BYTES = 6 << 20
_SIDE_BY_SIDE = 3  # blocks; while one of them is copied in or out the others are multiplied
_WORTH_COMPILING = 16  # blocks to evaluate; fewer would not feel the quarter that it saves


def run_rows(
    vae: VariationalAutoencoder,
    fetch: tf.Tensor,
    placeholder: tf.Tensor,
    values: ArrayLike,
    name: str,
    *,
    random: bool = False,
) -> np.ndarray:
    """Run `fetch` on all rows of `values`, some blocks at a time; one by one where it is random."""
    rows = as_rows(values, placeholder.shape[1], name, unit_interval=placeholder is vae.X)
    result = np.empty((len(rows), fetch.shape[1]), fetch.dtype.as_numpy_dtype)

    def run(block: slice, taken: np.ndarray) -> None:
        images = as_values(taken.astype(np.float32, copy=False), rows.levels)
        result[block] = vae.sess.run(fetch, {placeholder: images})

    for _ in run_ahead(run, _taken(vae, rows), 1 if random else _SIDE_BY_SIDE):
        pass
    return result


def sample_prior(vae: VariationalAutoencoder, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `n` samples of the prior predictive and their probabilities."""
    fetches = (vae.prior_predictive, vae.prior_predictive_probs)
    results = tuple(np.empty((n, vae.D), fetch.dtype.as_numpy_dtype) for fetch in fetches)
    for block in _blocks(vae, n):
        parts = vae.sess.run(fetches, {vae._prior_samples: block.stop - block.start})
        for result, part in zip(results, parts, strict=True):
            result[block] = part
    return results


def evaluate(vae: VariationalAutoencoder, X: ArrayLike) -> tuple[float, float, float]:
    """Return ELBO, reconstruction and KL, each the mean over the rows of X, in nats."""
    rows = as_rows(X, vae.D)
    size = _block_size(vae)
    n_blocks, rest = divmod(len(rows), size)
    terms = {}
    if n_blocks:
        terms[size] = _evaluation(vae, rows, size, n_blocks >= _WORTH_COMPILING)
    if rest:
        terms[rest] = _evaluation(vae, rows, None, False)

    def run(block: slice, taken: np.ndarray) -> np.ndarray:
        return np.sum(terms[len(taken)](taken, block.start), axis=1, dtype=np.float64)

    log_likelihood, kl = (
        sum(run_ahead(run, _taken(vae, rows), _SIDE_BY_SIDE)) / len(rows)
    ).tolist()
    return log_likelihood - kl, log_likelihood, kl


def _taken(vae: VariationalAutoencoder, rows: Rows) -> Iterator[tuple[slice, np.ndarray]]:
    return ((block, rows.take(block)) for block in _blocks(vae, len(rows)))


def _block_size(vae: VariationalAutoencoder) -> int:
    return max(1, _BLOCK_BYTES // (4 * max(vae.D, *vae.hidden_layer_sizes)))


def _blocks(vae: VariationalAutoencoder, n: int) -> Iterator[slice]:
    size = _block_size(vae)
    if n > size:
        _keep_memory_between_blocks()
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _keep_memory_between_blocks() -> None:
    """Have glibc keep what a block frees, for the next one.

    It returns free memory to the system beyond twice the largest block that it has mapped and
    released, up to 32 MiB, so one of nearly that size is; see M_MMAP_THRESHOLD in mallopt(3). What
    is returned comes back page by page, at a tenth of the time of an evaluation.
    """
    np.empty(31 << 20, np.uint8)


def _evaluation(vae: VariationalAutoencoder, rows: Rows, n: int | None, compiled: bool) -> Callable:
    """Return a function of `n` rows of bytes, or any number, and of the index of the first.

    It returns the terms of the ELBO of each row, with noise that is keyed by the row.
    """

    def build(compiled: bool) -> Callable:
        evaluation = _build_evaluation(vae, rows, n, compiled)
        if compiled:
            evaluation(np.zeros((n, vae.D), rows.dtype), 0)
        return evaluation

    kind = ("evaluation", rows.dtype, rows.levels, n)
    return compiled_or_not(vae.loops, kind, build, compiled, "the evaluation")


def _build_evaluation(
    vae: VariationalAutoencoder, rows: Rows, n: int | None, compiled: bool
) -> Callable:
    with vae.graph.as_default(), tf.name_scope("evaluate"), without_deprecation_warnings():
        # XLA would compile again for every other number of rows, so blocks have theirs fixed.
        images = tf.compat.v1.placeholder(rows.dtype, (n, vae.D), name="images")
        first = tf.compat.v1.placeholder(tf.int64, (), name="first")
        shape = (n or tf.shape(images)[0], 1, vae.hidden_layer_sizes[-1])
        key = vae.noise_key.read_value()
        uniform = noise.uniform(key, first, noise.EVALUATION, shape)[:, 0]

        def values(images: tf.Tensor) -> tf.Tensor:
            return as_values(tf.cast(images, tf.float32), rows.levels)

        def latent(encoded: tf.Tensor, uniform: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            _, _, Z, kl = vae.latent(encoded, noise.normal_quantile(uniform))
            return Z, kl

        def log_likelihood(images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
            return bernoulli_log_likelihood(values(images), logits)

        # Not the whole: for large products TensorFlow's own kernels are faster than XLA's.
        Z, kl = graph_function(latent, compiled)(vae.encode(values(images)), uniform)
        terms = graph_function(log_likelihood, compiled)(images, vae.decode(Z)), kl
    return lambda taken, start: vae.sess.run(terms, {images: taken, first: start})
