"""The marginal likelihood log p(x) of any number of images, by importance sampling.

    p(x) = E w,  w = p(x|z) p(z) / q(z|x),  z ~ q(z|x),   estimated by the mean of K weights

References
----------
Rezende, Mohamed & Wierstra (2014), *Stochastic Backpropagation and Approximate Inference in Deep
Generative Models*, appendix E.
Burda, Grosse & Salakhutdinov (2016), *Importance Weighted Autoencoders*, ICLR.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.backend.memory import keep_freed_memory
from vae_tf1.backend.notices import without_deprecation_notices, without_first_notices
from vae_tf1.backend.xla import Compiled, graph_function
from vae_tf1.data.prefetch import prefetch
from vae_tf1.data.rows import Rows, as_values
from vae_tf1.model import noise
from vae_tf1.model.bound import repeat
from vae_tf1.model.graph import Model

__all__ = ["ImportanceSampler", "LogLikelihood"]

# Bytes of a block, float32 of the widest layer. A call of the session costs 0.3 ms, so blocks are
# twice those of Inference: of 6, 12 and 24 MiB, 12 took the least processor time.
_BLOCK_BYTES = 12 << 20
_SIDE_BY_SIDE = 3  # blocks
_WORTH_COMPILING = 16  # blocks of one shape


class LogLikelihood(NamedTuple):
    """Estimates of log p(x), and how far to trust them.

    Attributes
    ----------
    values
        (N,) estimates of log p(x) in nats.
    standard_error
        (N,) the standard error of each, in nats, from the spread of its weights; NaN with a single
        sample. It is too small if `effective_sample_size` is.
    effective_sample_size
        (N,) (Σ w)² / Σ w², from 1 to the number of samples: how many equal weights would estimate
        as well.
    """

    values: np.ndarray
    standard_error: np.ndarray
    effective_sample_size: np.ndarray


class ImportanceSampler:
    """Estimates log p(x) with a model, some blocks of codes at a time; keeps what it has built.

    Parameters
    ----------
    model
        The model.
    block_bytes
        Size of a block of codes, as float32 values of the model's widest layer.
    side_by_side
        How many blocks run at a time.
    worth_compiling
        From how many blocks of a shape on that shape is compiled.
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
        self.block_codes = max(1, block_bytes // (4 * model.widest))
        self._side_by_side, self._worth_compiling = side_by_side, worth_compiling
        self._weights: Compiled[Callable] = Compiled(model.graph, "the log-likelihood")

    def estimate(self, rows: Rows, n_samples: int, *, show_progress: bool = False) -> LogLikelihood:
        """Estimate log p(x) of each row; see `VariationalAutoencoder.log_likelihood`."""
        keep_freed_memory()
        blocks = _Blocks(len(rows), n_samples, self.block_codes)
        log_weights = {
            shape: self._log_weights(rows, shape, count >= self._worth_compiling)
            for shape, count in Counter(block.shape for block in blocks).items()
        }

        def run(block: _Block, images: np.ndarray) -> tuple[_Block, np.ndarray]:
            first = block.row * n_samples + block.sample
            return block, log_weights[block.shape](images, first)

        sums = _WeightSums(len(rows))
        with (
            _progress(len(rows), show_progress) as advance,
            closing(prefetch(run, blocks.taken(rows), self._side_by_side)) as results,
        ):
            for block, weights in results:
                sums.add(slice(block.row, block.row + block.n_rows), weights.astype(np.float64))
                if block.sample + block.n_samples == n_samples:
                    advance(block.n_rows)
        return sums.estimate(n_samples)

    def _log_weights(self, rows: Rows, shape: tuple[int, int], compiled: bool) -> Callable:
        """Return a function of images and of the number of the first code.

        The function returns the log weights of a block of this shape, (images, codes of each).
        """

        def build(compiled: bool) -> Callable:
            log_weights = self._build(rows, shape, compiled)
            if compiled:
                with without_first_notices("compiling"):
                    log_weights(np.zeros((shape[0], self._model.width), rows.dtype), 0)
            return log_weights

        return self._weights.get((rows.dtype, rows.levels, shape), build, compiled)

    def _build(self, rows: Rows, shape: tuple[int, int], compiled: bool) -> Callable:
        model, levels = self._model, rows.levels
        n_rows, k = shape
        with (
            model.graph.as_default(),
            tf.name_scope("log_likelihood"),
            without_deprecation_notices(),
        ):
            images = tf.compat.v1.placeholder(rows.dtype, (n_rows, model.width), name="images")
            first = tf.compat.v1.placeholder(tf.int64, (), name="first")
            # The codes of all images are numbered through, so the noise of each is a function of
            # (seed, image, sample) whatever the blocks.
            key = model.noise_key.read_value()
            uniform = noise.uniform(key, first, noise.LIKELIHOOD, (n_rows * k, 1, model.M))

            def values(images: tf.Tensor) -> tf.Tensor:
                return as_values(tf.cast(images, tf.float32), levels)

            def latent(encoded: tf.Tensor, uniform: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                epsilon = tf.reshape(noise.normal_quantile(uniform), (n_rows, k, model.M))
                Z, log_posterior = model.draw(*model.posterior(encoded), epsilon)
                return Z, model.prior_distribution.log_prob(Z) - log_posterior

            def log_weight(images: tf.Tensor, logits: tf.Tensor, ratio: tf.Tensor) -> tf.Tensor:
                # log w = log p(x|z) + log p(z) − log q(z|x)
                X = repeat(model.images(values(images)), k)
                log_likelihood = model.likelihood.log_prob(X, logits)
                return tf.reshape(log_likelihood + ratio, shape)

            # Compile what is between the products: TensorFlow's own kernels multiply faster.
            Z, ratio = graph_function(latent, compiled)(model.encode(values(images)), uniform)
            if model.n_labels is not None:
                Z = model.given(Z, repeat(values(images), k))
            logits = model.decode(Z)
            log_weights = graph_function(log_weight, compiled)(images, logits, ratio)
        return lambda taken, start: model.sess.run(log_weights, {images: taken, first: start})


class _Block(NamedTuple):
    """Some codes of some images: all codes of several, or several of one."""

    row: int  # the first
    n_rows: int
    sample: int  # the first
    n_samples: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_rows, self.n_samples


class _Blocks:
    """All codes of all images, in blocks of equal size as far as that goes.

    Parameters
    ----------
    n_rows
        Number of images.
    n_samples
        Number of codes of each.
    most
        The most codes of a block.
    """

    def __init__(self, n_rows: int, n_samples: int, most: int) -> None:
        self._n_rows, self._n_samples = n_rows, n_samples
        self._rows = max(1, most // n_samples)
        self._samples = -(-n_samples // -(-n_samples // most))

    def __iter__(self) -> Iterator[_Block]:
        for row in range(0, self._n_rows, self._rows):
            yield from self._of_rows(row)

    def taken(self, rows: Rows) -> Iterator[tuple[_Block, np.ndarray]]:
        """Yield each block with its images, which are read once."""
        for row in range(0, self._n_rows, self._rows):
            images = rows.take(slice(row, min(row + self._rows, self._n_rows)))
            yield from ((block, images) for block in self._of_rows(row))

    def _of_rows(self, row: int) -> Iterator[_Block]:
        n_rows = min(self._rows, self._n_rows - row)
        for sample in range(0, self._n_samples, self._samples):
            yield _Block(row, n_rows, sample, min(self._samples, self._n_samples - sample))


class _WeightSums:
    """Sums of the weights of each image and of their squares, none of which overflows.

    They are kept in units of the largest weight seen so far.
    """

    def __init__(self, n_rows: int) -> None:
        self._largest = np.full(n_rows, -np.inf)  # log w
        self._sum, self._sum_of_squares = np.zeros(n_rows), np.zeros(n_rows)

    def add(self, rows: slice, log_weights: np.ndarray) -> None:
        """Add weights: their logarithms, (rows, samples), in float64."""
        largest = np.maximum(self._largest[rows], log_weights.max(1))
        # An image of which every weight is zero has no unit.
        unit = np.where(np.isfinite(largest), largest, 0.0)
        weights = np.exp(log_weights - unit[:, np.newaxis])
        before = np.exp(self._largest[rows] - unit)
        self._sum[rows] = self._sum[rows] * before + weights.sum(1)
        self._sum_of_squares[rows] = self._sum_of_squares[rows] * before**2 + np.square(
            weights
        ).sum(1)
        self._largest[rows] = largest

    def estimate(self, K: int) -> LogLikelihood:
        """Return the estimate of each image from its K weights."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self._sum / K
            variance = (self._sum_of_squares - K * mean**2) / (K - 1) if K > 1 else np.nan * mean
            return LogLikelihood(
                # log p(x) ≈ log 1/K Σ w
                values=self._largest + np.log(mean),
                # Var log(mean w) ≈ Var(mean w) / (mean w)²
                standard_error=np.sqrt(np.maximum(variance, 0.0) / K) / mean,
                effective_sample_size=self._sum**2 / self._sum_of_squares,
            )


@contextmanager
def _progress(n_rows: int, shown: bool) -> Iterator[Callable[[int], object]]:
    """Yield a function that notes so many further images: on a terminal, a bar shows them."""
    if not (shown and sys.stderr.isatty()):
        yield lambda n: None
        return
    from tqdm import tqdm

    with tqdm(total=n_rows, unit="image", desc="log p(x)", dynamic_ncols=True) as bar:
        yield bar.update
