"""Any number of rows through the model in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from vae_tf1 import noise
from vae_tf1.quiet import without_deprecation_warnings
from vae_tf1.rows import ArrayLike, Rows, as_rows, as_values

if TYPE_CHECKING:
    from vae_tf1.autoencoder import VariationalAutoencoder

_BLOCK_BYTES = 4 << 20  # of the widest layer's float32 values: large products, yet inside the cache


def run_rows(
    vae: VariationalAutoencoder,
    fetch: tf.Tensor,
    placeholder: tf.Tensor,
    values: ArrayLike,
    name: str,
) -> np.ndarray:
    """Run `fetch` on all rows of `values`, a block at a time."""
    rows = as_rows(values, placeholder.shape[1], name, unit_interval=placeholder is vae.X)
    result = np.empty((len(rows), fetch.shape[1]), fetch.dtype.as_numpy_dtype)
    for block in _blocks(vae, len(rows)):
        images = as_values(rows.take(block).astype(np.float32, copy=False), rows.levels)
        result[block] = vae.sess.run(fetch, {placeholder: images})
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
    log_likelihood = kl = 0.0
    for block in _blocks(vae, len(rows)):
        terms = _terms(vae, rows, block)
        log_likelihood += terms[0].sum(dtype=np.float64)
        kl += terms[1].sum(dtype=np.float64)
    n = len(rows)
    return (log_likelihood - kl) / n, log_likelihood / n, kl / n


def _blocks(vae: VariationalAutoencoder, n: int) -> Iterator[slice]:
    widest = max(vae.D, *vae.hidden_layer_sizes)
    size = max(1, _BLOCK_BYTES // (4 * widest))
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _terms(vae: VariationalAutoencoder, rows: Rows, block: slice) -> tuple:
    """Return log-likelihood and KL of each row of a block."""
    fetches, images, first = _evaluation(vae, rows)
    return vae.sess.run(fetches, {images: rows.take(block), first: block.start})


def _evaluation(vae: VariationalAutoencoder, rows: Rows) -> tuple:
    """Build the terms of the ELBO for rows of bytes, with noise that is keyed by the row."""
    kind = ("evaluation", rows.dtype, rows.levels)
    if kind not in vae.loops:
        with vae.graph.as_default(), tf.name_scope("evaluate"), without_deprecation_warnings():
            images = tf.compat.v1.placeholder(rows.dtype, (None, vae.D), name="images")
            first = tf.compat.v1.placeholder(tf.int64, (), name="first")
            shape = (tf.shape(images)[0], 1, vae.hidden_layer_sizes[-1])
            key = vae.noise_key.read_value()
            epsilon = noise.standard_normal(key, first, noise.EVALUATION, shape)[:, 0]
            X = as_values(tf.cast(images, tf.float32), rows.levels)
            terms = vae.forward(X, epsilon)
        vae.loops[kind] = (terms.log_likelihood, terms.kl), images, first
    return vae.loops[kind]
