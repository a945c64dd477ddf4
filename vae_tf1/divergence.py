"""Kullback-Leibler divergence of diagonal Gaussians, in closed form and by Monte Carlo.

KL(q ‖ p) = E_q[log q(z) − log p(z)]; between N(μ_q, σ_q²) and N(μ_p, σ_p²), a coordinate,

    KL = log(σ_p/σ_q) + (σ_q² + (μ_q − μ_p)²) / (2 σ_p²) − 1/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.backend.notices import without_deprecation_notices
from vae_tf1.checks import check_count

__all__ = [
    "MonteCarloKL",
    "gaussian_kl",
    "kl_divergence_gaussians",
    "log_density_gaussian",
    "log_density_ratio_gaussians",
    "monte_carlo_kl",
]

ArrayLike = Any  # a number, nested list, NumPy array, or TensorFlow tensor or variable


def gaussian_kl(difference: ArrayLike, log_variance_ratio: ArrayLike) -> np.ndarray | tf.Tensor:
    """KL divergence of one Gaussian from another, elementwise.

    Written with ``expm1`` it is exactly zero for equal distributions, does not lose its digits
    near them, and its gradient is finite wherever the divergence is.

    Parameters
    ----------
    difference
        (μ_q − μ_p) / σ_p, any shape.
    log_variance_ratio
        log(σ_q² / σ_p²), of a shape that broadcasts with `difference`.

    Returns
    -------
    ndarray or Tensor
        (exp(d) − 1 − d + difference²) / 2 with d = `log_variance_ratio`, in nats.
    """
    xp = _namespace(difference, log_variance_ratio)
    excess = xp.expm1(log_variance_ratio) - log_variance_ratio
    return 0.5 * (excess + xp.square(difference))


def kl_divergence_gaussians(
    q_mu: ArrayLike, q_sigma: ArrayLike, p_mu: ArrayLike, p_sigma: ArrayLike
) -> np.ndarray | tf.Tensor:
    """Return KL(q ‖ p) of two diagonal Gaussians, summed over the last axis.

    Parameters
    ----------
    q_mu, q_sigma
        Means and standard deviations of q, shape (..., D).
    p_mu, p_sigma
        Means and standard deviations of p, of shapes that broadcast with those of q.

    Returns
    -------
    ndarray or Tensor
        Shape (...), in nats: a tensor if any argument is one, NumPy otherwise.

    Raises
    ------
    TypeError
        If an argument is not numeric, or two tensors differ in type.
    ValueError
        If the shapes do not broadcast, or a standard deviation given as numbers is not positive.
    """
    (q_mu, q_sigma, p_mu, p_sigma), dtype = _operands(
        q_mu=q_mu, q_sigma=q_sigma, p_mu=p_mu, p_sigma=p_sigma
    )
    xp = _namespace(q_mu)
    difference = (q_mu - p_mu) / p_sigma
    log_variance_ratio = 2 * (xp.log(q_sigma) - xp.log(p_sigma))
    return _sum_last_axis(gaussian_kl(difference, log_variance_ratio), dtype)


def log_density_ratio_gaussians(
    z: ArrayLike, q_mu: ArrayLike, q_sigma: ArrayLike, p_mu: ArrayLike, p_sigma: ArrayLike
) -> np.ndarray | tf.Tensor:
    """Return log q(z) − log p(z) of two diagonal Gaussians, summed over the last axis.

    Its mean over samples z of q is an unbiased estimate of KL(q ‖ p).

    Parameters
    ----------
    z
        Points, shape (..., D).
    q_mu, q_sigma, p_mu, p_sigma
        Means and standard deviations, of shapes that broadcast with `z`.

    Returns
    -------
    ndarray or Tensor
        Shape (...), in nats: a tensor if any argument is one, NumPy otherwise.

    Raises
    ------
    TypeError
        If an argument is not numeric, or two tensors differ in type.
    ValueError
        If the shapes do not broadcast, or a standard deviation given as numbers is not positive.
    """
    (z, q_mu, q_sigma, p_mu, p_sigma), dtype = _operands(
        z=z, q_mu=q_mu, q_sigma=q_sigma, p_mu=p_mu, p_sigma=p_sigma
    )
    xp = _namespace(z)
    r_q = (z - q_mu) / q_sigma
    r_p = (z - p_mu) / p_sigma
    log_ratio = xp.log(p_sigma) - xp.log(q_sigma) + 0.5 * (xp.square(r_p) - xp.square(r_q))
    return _sum_last_axis(log_ratio, dtype)


def log_density_gaussian(z: ArrayLike, mu: ArrayLike, sigma: ArrayLike) -> np.ndarray | tf.Tensor:
    """Return log N(z; mu, sigma²) of a diagonal Gaussian, summed over the last axis.

    Parameters
    ----------
    z
        Points, shape (..., D).
    mu, sigma
        Mean and standard deviation, of shapes that broadcast with `z`.

    Returns
    -------
    ndarray or Tensor
        Shape (...), in nats: a tensor if any argument is one, NumPy otherwise.

    Raises
    ------
    TypeError
        If an argument is not numeric, or two tensors differ in type.
    ValueError
        If the shapes do not broadcast, or a standard deviation given as numbers is not positive.
    """
    (z, mu, sigma), dtype = _operands(z=z, mu=mu, sigma=sigma)
    xp = _namespace(z)
    log_density = -0.5 * math.log(2 * math.pi) - xp.log(sigma) - 0.5 * xp.square((z - mu) / sigma)
    return _sum_last_axis(log_density, dtype)


class MonteCarloKL(NamedTuple):
    """What `monte_carlo_kl` returns: the estimate as it ran.

    Attributes
    ----------
    samples
        (points,) how many samples had been drawn.
    mean
        (points,) or (points, *batch) the mean log density ratio over these samples, in nats.
    standard_error
        As `mean`: its standard error, NaN where a single sample has none.
    """

    samples: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray

    @property
    def estimate(self) -> np.ndarray:
        """The mean over all samples."""
        return self.mean[-1]

    @property
    def error(self) -> np.ndarray:
        """The standard error of `estimate`."""
        return self.standard_error[-1]


def monte_carlo_kl(
    q: Any,
    p: Any,
    n_samples: int = 10_000,
    *,
    chunk_size: int = 65_536,
    points: int = 10_000,
    reduce_batch: bool = True,
    seed: int | None = None,
    sess: tf.compat.v1.Session | None = None,
) -> MonteCarloKL:
    """Estimate KL(q ‖ p) as the mean of log q(z) − log p(z) over samples z of q.

    One pass over the samples, in chunks whose means and sums of squares are merged in float64
    [1]_: memory depends on `chunk_size` and `points`, not on `n_samples`.

    Parameters
    ----------
    q, p
        Distributions: anything with ``sample`` and ``log_prob`` (TensorFlow Probability's,
        ``tf.compat.v1.distributions``, or one's own), or with SciPy's ``rvs`` and ``logpdf``.
        They may be eager or live in a graph.
    n_samples
        How many samples to draw.
    chunk_size
        How many to draw at a time.
    points
        The most places, evenly spaced up to the last sample, to record the running mean at.
    reduce_batch
        If true, what remains of a sample's axes are independent coordinates of one variable, and
        their log density ratios are summed; otherwise each keeps a divergence of its own.
    seed
        Makes the samples of TensorFlow distributions reproducible; others keep their own state.
    sess
        The session that runs distributions made in a graph; by default the default session, or
        one opened for the purpose.

    Returns
    -------
    MonteCarloKL
        Running mean and standard error. Both are infinite from the first sample on that q drew
        where p has no density.

    Raises
    ------
    TypeError
        If q or p cannot be used so.
    ValueError
        If a number is out of range, or a log density is NaN.

    References
    ----------
    .. [1] Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance.
    """
    n_samples = check_count(n_samples, "n_samples")
    chunk_size = check_count(chunk_size, "chunk_size")
    points = check_count(points, "points")
    _check_distribution("q", q, ("sample", "log_prob"), ("rvs", "logpdf"))
    _check_distribution("p", p, ("log_prob",), ("logpdf",))

    recorded = np.linspace(n_samples, 1, min(points, n_samples))[::-1].round().astype(np.int64)
    mean = standard_error = np.empty(0)
    moments = _Moments()
    with _log_ratio_drawer(q, p, seed, sess) as draw:
        for start in range(0, n_samples, chunk_size):
            n = min(chunk_size, n_samples - start)
            log_ratio = np.atleast_1d(np.asarray(draw(n), np.float64))
            if len(log_ratio) != n:
                raise ValueError(f"{n} samples have log densities of shape {log_ratio.shape}")
            if np.any(np.isnan(log_ratio) | np.isneginf(log_ratio)):
                raise ValueError("log q(z) - log p(z) is NaN or -inf at a sample z of q")
            if reduce_batch:
                log_ratio = log_ratio.reshape(len(log_ratio), -1).sum(axis=1)
            if start == 0:
                mean = np.empty((len(recorded), *log_ratio.shape[1:]))
                standard_error = np.empty_like(mean)
            part = slice(*np.searchsorted(recorded, [start + 1, start + n + 1]))
            mean[part], standard_error[part] = moments.update(log_ratio, recorded[part] - start)
    return MonteCarloKL(recorded, mean, standard_error)


class _Moments:
    """Mean and sum of squared deviations of a stream, merged chunk by chunk."""

    def __init__(self) -> None:
        self.count, self.mean, self.sum_of_squares, self.infinite = 0, 0.0, 0.0, False

    def update(self, chunk: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Add a chunk; return mean and standard error after the first `counts` of its rows."""
        infinite = np.isposinf(chunk)
        chunk = np.where(infinite, 0.0, chunk)
        centre = chunk.mean(axis=0)
        deviation = chunk - centre

        rows = np.append(counts, len(chunk))
        n = rows.reshape(-1, *[1] * (chunk.ndim - 1))
        drift = np.cumsum(deviation, axis=0)[rows - 1] / n
        scatter = np.cumsum(np.square(deviation), axis=0)[rows - 1] - n * np.square(drift)

        total = self.count + n
        step = centre + drift - self.mean
        mean = self.mean + step * n / total
        sum_of_squares = self.sum_of_squares + scatter + np.square(step) * self.count * n / total
        infinite = np.logical_or.accumulate(infinite, axis=0)[rows - 1] | self.infinite

        self.count += len(chunk)
        self.mean, self.sum_of_squares, self.infinite = mean[-1], sum_of_squares[-1], infinite[-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(np.maximum(sum_of_squares, 0.0) / (total - 1) / total)
        return np.where(infinite, np.inf, mean)[:-1], np.where(infinite, np.inf, error)[:-1]


@contextmanager
def _log_ratio_drawer(
    q: Any, p: Any, seed: int | None, sess: tf.compat.v1.Session | None
) -> Iterator[Callable[[int], Any]]:
    """Yield a function that draws n samples z of q and returns log q(z) − log p(z)."""
    log_q, log_p = (getattr(d, "log_prob", None) or d.logpdf for d in (q, p))

    def log_ratio(n: int | tf.Tensor, **seeded: int | None) -> Any:
        with without_deprecation_notices():
            z = (getattr(q, "sample", None) or q.rvs)(n, **seeded)
            return log_q(z) - log_p(z)

    if not _is_tensorflow(q):
        yield log_ratio
    elif sess is None and tf.executing_eagerly():
        # A fresh function starts the stream of `seed` anew, and goes on with it chunk after chunk.
        function = tf.function(lambda n: log_ratio(n, seed=seed))
        yield lambda n: function(tf.constant(n))
    else:
        sess = sess or tf.compat.v1.get_default_session()
        graph = sess.graph if sess else tf.compat.v1.get_default_graph()
        with graph.as_default():
            n_placeholder = tf.compat.v1.placeholder(tf.int32, (), name="n_samples")
            value = log_ratio(n_placeholder, seed=seed)
        with nullcontext(sess) if sess else tf.compat.v1.Session(graph=graph) as session:
            yield lambda n: session.run(value, {n_placeholder: n})


def _is_tensorflow(distribution: Any) -> bool:
    """Whether it is TensorFlow's or TFP's, told without importing the latter."""
    return any(cls.__module__.startswith("tensorflow") for cls in type(distribution).__mro__)


def _check_distribution(name: str, distribution: Any, *interfaces: tuple[str, ...]) -> None:
    if not any(all(hasattr(distribution, m) for m in methods) for methods in interfaces):
        wanted = " or ".join(" and ".join(methods) for methods in interfaces)
        raise TypeError(f"{name} must have {wanted}; {type(distribution).__name__} has not")


def _namespace(*values: ArrayLike) -> Any:
    return tf.math if any(tf.is_tensor(value) for value in values) else np


def _sum_last_axis(value: Any, dtype: Any) -> np.ndarray | tf.Tensor:
    """Sum over the last axis; a scalar is one coordinate and has none."""
    if tf.is_tensor(value):
        return value if value.shape.rank == 0 else tf.reduce_sum(value, axis=-1)
    return np.sum(value, axis=-1).astype(dtype)


def _operands(**values: ArrayLike) -> tuple[list[np.ndarray] | list[tf.Tensor], Any]:
    """Check the arguments; return them as tensors or as arrays, and the type of the result.

    Tensors keep their one type. Arrays come in float64, whatever the type of the result: there
    the precision costs nothing.
    """
    values = {name: v if tf.is_tensor(v) else _array(name, v) for name, v in values.items()}
    for name, value in values.items():
        if name.endswith("sigma") and not tf.is_tensor(value) and not np.all(np.greater(value, 0)):
            raise ValueError(f"{name} must be positive everywhere, not {value}")
    shapes = {name: tf.TensorShape(getattr(value, "shape", ())) for name, value in values.items()}
    try:
        shape = tf.TensorShape([])
        for each in shapes.values():
            shape = tf.broadcast_static_shape(shape, each)
    except ValueError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"the shapes must broadcast: {listed}") from None

    tensors = {name: value for name, value in values.items() if tf.is_tensor(value)}
    if not tensors:
        common = np.result_type(*values.values())
        dtype = common if common.kind == "f" else np.dtype(np.float64)
        return [np.asarray(value, np.float64) for value in values.values()], dtype
    dtypes = {tensor.dtype.base_dtype for tensor in tensors.values()}
    if len(dtypes) > 1 or not all(dtype.is_floating for dtype in dtypes):
        listed = ", ".join(f"{name} {tensor.dtype.name}" for name, tensor in tensors.items())
        raise TypeError(f"the tensors must be of one floating-point type: {listed}")
    (dtype,) = dtypes
    return [tf.convert_to_tensor(value, dtype) for value in values.values()], dtype


def _array(name: str, value: ArrayLike) -> np.ndarray | float:
    if isinstance(value, (int, float)):
        return value  # NumPy lets a Python number take the type of the arrays beside it
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise TypeError
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be numbers or a tensor, not {value!r}") from None
    return array
