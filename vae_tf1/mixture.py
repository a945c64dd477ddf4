"""Gaussian mixtures: parameters from responsibilities, energies, and a fit by EM built of the two.

With responsibilities γ_nk of component k for observation z_n,

    φ_k = Σ_n γ_nk / N,   μ_k = Σ_n γ_nk z_n / Σ_n γ_nk,
    Σ_k = Σ_n γ_nk (z_n − μ_k)(z_n − μ_k)ᵀ / Σ_n γ_nk,

and the energy of z is its negative log density, E(z) = −log Σ_k φ_k N(z; μ_k, Σ_k).

References
----------
Zong et al. (2018), Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection.
Dempster, Laird and Rubin (1977), Maximum Likelihood from Incomplete Data via the EM Algorithm.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.checks import check_count

__all__ = [
    "Mixture",
    "auroc",
    "fit_mixture",
    "gmm_energy",
    "gmm_params",
    "mixture_of",
    "responsibilities",
]

ArrayLike = Any  # a nested list, NumPy array, or TensorFlow tensor or variable

_LEAST_VARIANCE = 1e-6


class Mixture(NamedTuple):
    """Parameters of a mixture of K Gaussians in D dimensions, as `gmm_params` returns them.

    ``gmm_energy(z, *mixture)`` scores observations by it.

    Attributes
    ----------
    phi
        (K,) weights of the components.
    mu
        (K, D) means.
    cov
        (K, D, D) covariances.
    L
        (K, D, D) Cholesky factors of the covariances, with a little added to their diagonals.
    log_det_cov
        (K,) log determinants of the covariances, from L.
    """

    phi: np.ndarray | tf.Tensor
    mu: np.ndarray | tf.Tensor
    cov: np.ndarray | tf.Tensor
    L: np.ndarray | tf.Tensor
    log_det_cov: np.ndarray | tf.Tensor

    def energy(self, z: ArrayLike) -> np.ndarray:
        """Return the energy of each observation under a mixture fitted to an array.

        Parameters
        ----------
        z
            Observations, shape (N, D).

        Returns
        -------
        ndarray
            Energies in nats, shape (N,); the higher, the less likely.
        """
        z = _observations(z)
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            placeholder = tf.compat.v1.placeholder(self.phi.dtype, (None, z.shape[1]))
            energy, _ = gmm_energy(placeholder, *self, return_mean=False)
            # A bounded block at a time: a component has a copy of the block each.
            blocks = np.array_split(z, max(1, math.ceil(len(z) / 10_000)))
            return np.concatenate([sess.run(energy, {placeholder: block}) for block in blocks])

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        """Draw n observations from a mixture fitted to an array.

        Parameters
        ----------
        n
            How many.
        seed
            Makes the draw reproducible.

        Returns
        -------
        ndarray
            Shape (n, D).
        """
        n = check_count(n, "n")
        rng = np.random.default_rng(seed)
        phi = np.asarray(self.phi, np.float64)
        component = rng.choice(len(phi), size=n, p=phi / phi.sum())
        epsilon = rng.standard_normal((n, self.mu.shape[1])).astype(self.mu.dtype)
        return self.mu[component] + np.einsum("nij,nj->ni", self.L[component], epsilon)


def gmm_params(z: ArrayLike, gamma: ArrayLike) -> Mixture:
    """Compute the parameters of a Gaussian mixture from responsibilities.

    Parameters
    ----------
    z
        Observations, shape (N, D); N may be unknown until the graph runs.
    gamma
        Probabilities of the components for each observation, shape (N, K).

    Returns
    -------
    phi, mu, cov, L, log_det_cov
        Tensors, see `Mixture`. A component that no observation belongs to has weight, mean and
        covariance zero.

    Raises
    ------
    TypeError
        If the arguments are not of one floating-point type.
    ValueError
        If their shapes do not fit together.
    """
    with tf.name_scope("gmm_params"):
        z, gamma = _matrices(z=z, gamma=gamma)
        if not z.shape[:1].is_compatible_with(gamma.shape[:1]):
            raise ValueError(f"z and gamma must have as many rows, not {z.shape} and {gamma.shape}")
        n = tf.cast(tf.shape(gamma)[0], z.dtype)
        sum_gamma = tf.reduce_sum(gamma, axis=0)  # (K,)
        phi = sum_gamma / n
        weights = tf.math.divide_no_nan(gamma, sum_gamma)  # (N, K), each column sums to one
        mu = tf.matmul(weights, z, transpose_a=True)  # (K, D)
        z_mu = z - mu[:, tf.newaxis, :]  # (K, N, D)
        weighted = tf.transpose(weights)[:, :, tf.newaxis] * z_mu
        cov = tf.matmul(weighted, z_mu, transpose_a=True)  # (K, D, D)
        return mixture_of(phi, mu, cov)


def mixture_of(phi: tf.Tensor, mu: tf.Tensor, cov: tf.Tensor) -> Mixture:
    """Complete weights (K,), means (K, D) and covariances (K, D, D) to a mixture, as tensors.

    The Cholesky factorisation succeeds for singular covariances too: see `gmm_params`.
    """
    L = _cholesky(cov)
    log_det_cov = 2 * tf.reduce_sum(tf.math.log(tf.linalg.diag_part(L)), axis=1)
    return Mixture(phi, mu, cov, L, log_det_cov)


def gmm_energy(
    z: ArrayLike,
    phi: ArrayLike,
    mu: ArrayLike,
    cov: ArrayLike,
    L: ArrayLike,
    log_det_cov: ArrayLike,
    return_mean: bool = True,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Compute the energy of observations under a Gaussian mixture.

    Parameters
    ----------
    z
        Observations, shape (N, D); N may be unknown until the graph runs.
    phi, mu, cov, L, log_det_cov
        The mixture, as `gmm_params` returns it.
    return_mean
        Whether to return the mean energy rather than each observation's.

    Returns
    -------
    sample_energy
        −log Σ_k φ_k N(z; μ_k, Σ_k) in nats: a scalar, or of shape (N,).
    cov_diag
        Σ_kd 1 / Σ_k[d, d], a scalar: large where a component is about to collapse.

    Raises
    ------
    TypeError
        If the arguments are not of one floating-point type.
    ValueError
        If the shapes do not fit together.
    """
    with tf.name_scope("gmm_energy"):
        log_joint = _log_joint(z, phi, mu, L, log_det_cov)
        sample_energy = -tf.reduce_logsumexp(log_joint, axis=1)
        if return_mean:
            sample_energy = tf.reduce_mean(sample_energy)
        variances = tf.linalg.diag_part(tf.convert_to_tensor(cov, log_joint.dtype))
        cov_diag = tf.reduce_sum(1 / tf.maximum(variances, _LEAST_VARIANCE))
        return sample_energy, cov_diag


def responsibilities(
    z: ArrayLike,
    phi: ArrayLike,
    mu: ArrayLike,
    cov: ArrayLike,
    L: ArrayLike,
    log_det_cov: ArrayLike,
) -> tf.Tensor:
    """Compute the probability of each component for each observation, the E step of EM.

    Parameters
    ----------
    z
        Observations, shape (N, D).
    phi, mu, cov, L, log_det_cov
        The mixture, as `gmm_params` returns it.

    Returns
    -------
    Tensor
        γ_nk = φ_k N(z_n; μ_k, Σ_k) / Σ_j φ_j N(z_n; μ_j, Σ_j), shape (N, K).
    """
    with tf.name_scope("responsibilities"):
        return tf.nn.softmax(_log_joint(z, phi, mu, L, log_det_cov), axis=1)


def fit_mixture(
    z: ArrayLike,
    n_components: int,
    *,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> Mixture:
    """Fit a Gaussian mixture to observations by expectation-maximisation, in the graph.

    Starts from the nearest of `n_components` observations chosen far from each other
    (k-means++ [1]_), and alternates `responsibilities` and `gmm_params` until the mean
    `gmm_energy` falls by no more than `tolerance`. Needs memory for a few times K × N × D numbers.

    Parameters
    ----------
    z
        Observations, shape (N, D). A tensor of a graph gives the tensors of a fit that runs
        whenever they are evaluated.
    n_components
        How many Gaussians.
    max_iterations
        The most iterations.
    tolerance
        When to stop: the least fall of the mean energy in an iteration, in nats.
    seed
        Of the choice of the first centres.

    Returns
    -------
    Mixture
        Of arrays if z is an array, of tensors if it is a tensor.

    Raises
    ------
    TypeError, ValueError
        If z is not a finite matrix of at least `n_components` rows, or a number is out of range.

    References
    ----------
    .. [1] Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    """
    n_components = check_count(n_components, "n_components")
    max_iterations = check_count(max_iterations, "max_iterations")
    if not tolerance >= 0:
        raise ValueError(f"tolerance must not be negative, not {tolerance}")
    if tf.is_tensor(z):
        (z,) = _matrices(z=z)
        return _expectation_maximisation(z, n_components, max_iterations, tolerance, seed)

    z = _observations(z)
    if len(z) < n_components:
        raise ValueError(f"{n_components} components need as many observations, not {len(z)}")
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        placeholder = tf.compat.v1.placeholder(z.dtype, (None, z.shape[1]), name="z")
        mixture = _expectation_maximisation(
            placeholder, n_components, max_iterations, tolerance, seed
        )
        return Mixture(*sess.run(mixture, {placeholder: z}))


def auroc(inliers: ArrayLike, outliers: ArrayLike) -> float:
    """Return the area under the ROC curve of a score that should be higher for outliers.

    It is the probability that a random outlier scores above a random inlier, a tie counting half
    (Mann and Whitney 1947).

    Parameters
    ----------
    inliers, outliers
        Scores, shapes (N,) and (n,).

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance.

    Raises
    ------
    ValueError
        If a set is empty or holds a NaN.
    """
    inliers, outliers = (np.ravel(np.asarray(scores, np.float64)) for scores in (inliers, outliers))
    if not inliers.size or not outliers.size:
        raise ValueError("both sets of scores must have at least one")
    if np.isnan(inliers).any() or np.isnan(outliers).any():
        raise ValueError("the scores must not be NaN")
    inliers.sort()
    below, not_above = (np.searchsorted(inliers, outliers, side=s) for s in ("left", "right"))
    return float(np.mean(below + not_above) / (2 * len(inliers)))


def _log_joint(
    z: ArrayLike, phi: ArrayLike, mu: ArrayLike, L: ArrayLike, log_det_cov: ArrayLike
) -> tf.Tensor:
    """Return log φ_k N(z_n; μ_k, Σ_k), shape (N, K)."""
    (z,) = _matrices(z=z)
    phi, mu, L, log_det_cov = (tf.convert_to_tensor(x, z.dtype) for x in (phi, mu, L, log_det_cov))
    if not z.shape[1:].is_compatible_with(mu.shape[1:]):
        raise ValueError(f"z has shape {z.shape}, but the means have shape {mu.shape}")
    # A component without weight has none anywhere, and no gradient either.
    alive = phi > 0
    log_phi = tf.where(alive, tf.math.log(tf.where(alive, phi, tf.ones_like(phi))), -math.inf)
    z_mu = tf.transpose(z) - mu[:, :, tf.newaxis]  # (K, D, N)
    standardised = tf.linalg.triangular_solve(L, z_mu, lower=True)
    log_normal = -0.5 * (
        tf.reduce_sum(tf.square(standardised), axis=1)
        + tf.cast(tf.shape(z)[1], z.dtype) * math.log(2 * math.pi)
        + log_det_cov[:, tf.newaxis]
    )
    return tf.transpose(log_phi[:, tf.newaxis] + log_normal)


def _cholesky(cov: tf.Tensor) -> tf.Tensor:
    """Factorise covariances (K, D, D), with 1e-6 added to their diagonals.

    More is added to one that rounding has made singular or indefinite for all that, as happens in
    float32 to a singular covariance of large entries.
    """
    variances = tf.linalg.diag_part(cov)
    D = tf.cast(tf.shape(cov)[1], cov.dtype)
    rounding = 2 * D * np.finfo(cov.dtype.as_numpy_dtype).eps * tf.reduce_max(variances, axis=1)
    least_eigenvalue = tf.linalg.eigvalsh(tf.stop_gradient(cov))[:, 0]
    added = tf.maximum(tf.stop_gradient(rounding - least_eigenvalue), _LEAST_VARIANCE)
    return tf.linalg.cholesky(tf.linalg.set_diag(cov, variances + added[:, tf.newaxis]))


def _expectation_maximisation(
    z: tf.Tensor, n_components: int, max_iterations: int, tolerance: float, seed: int
) -> Mixture:
    def improves(i: tf.Tensor, energy: tf.Tensor, previous: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (i < max_iterations) & (previous - energy > tolerance)

    def step(
        i: tf.Tensor, energy: tf.Tensor, previous: tf.Tensor, mixture: Mixture
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, Mixture]:
        mixture = gmm_params(z, responsibilities(z, *mixture))
        return i + 1, gmm_energy(z, *mixture)[0], energy, mixture

    with tf.name_scope("fit_mixture"):
        mixture = gmm_params(z, _nearest_of_distant(z, n_components, seed))
        infinity = tf.constant(math.inf, z.dtype)
        loop = (tf.constant(0), gmm_energy(z, *mixture)[0], infinity, mixture)
        return tf.while_loop(improves, step, loop)[-1]


def _nearest_of_distant(z: tf.Tensor, n_components: int, seed: int) -> tf.Tensor:
    """Assign each observation to the nearest of k-means++ centres; (N, K) of zeros and ones."""
    n = tf.shape(z)[0]
    logits = tf.zeros([1, n], z.dtype)
    distances = []
    for k in range(n_components):
        chosen = tf.random.stateless_categorical(logits, 1, seed=(seed, k))[0, 0]
        distances.append(tf.reduce_sum(tf.square(z - z[chosen]), axis=1))
        nearest = tf.reduce_min(tf.stack(distances), axis=0)
        logits = tf.math.log(nearest[tf.newaxis] + np.finfo(z.dtype.as_numpy_dtype).tiny)
    return tf.one_hot(tf.argmin(tf.stack(distances), axis=0), n_components, dtype=z.dtype)


def _observations(z: ArrayLike) -> np.ndarray:
    """Return z as a finite floating-point matrix."""
    try:
        z = np.asarray(z)
        z = z if z.dtype in (np.float32, np.float64) else z.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError("z must be a matrix of numbers") from None
    if z.ndim != 2 or not z.size:
        raise ValueError(f"z must be a non-empty matrix (observations, dimensions), not {z.shape}")
    if not np.isfinite(z).all():
        raise ValueError("z must be finite everywhere")
    return z


def _matrices(**values: ArrayLike) -> list[tf.Tensor]:
    """Convert to matrices of the floating-point type of the first tensor, or the first array."""
    typed = [v for v in values.values() if tf.is_tensor(v)] or [*map(np.asarray, values.values())]
    dtype = tf.as_dtype(typed[0].dtype).base_dtype
    tensors = []
    for name, value in values.items():
        try:
            tensor = tf.convert_to_tensor(value, dtype)
            if not dtype.is_floating:
                raise TypeError
        except (TypeError, ValueError):
            raise TypeError(
                f"{name} must be float32 or float64 like the rest, not {value!r}"
            ) from None
        if tensor.shape.rank not in (2, None):
            raise ValueError(f"{name} must be a matrix, not of shape {tensor.shape}")
        tensors.append(tensor)
    return tensors
