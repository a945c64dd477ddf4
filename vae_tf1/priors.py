"""The prior p(z): where codes come from, and what it costs to depart from it.

A prior of one's own is any object with ``log_prob(Z)`` and ``sample(n, seed=)``, a distribution of
TensorFlow Probability with event shape (M,) for one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from vae_tf1 import flows
from vae_tf1.backend.tfp import in_graph, is_tfp, values_of
from vae_tf1.checks import check_count, check_positive
from vae_tf1.divergence import (
    kl_divergence_gaussians,
    log_density_gaussian,
    log_density_ratio_gaussians,
)
from vae_tf1.flows import Flow, Seeds
from vae_tf1.likelihoods import support_of
from vae_tf1.mixture import gmm_energy
from vae_tf1.model.parts import adopted
from vae_tf1.model.support import REAL, Support

__all__ = [
    "READY_MADE",
    "FlowPrior",
    "Mixture",
    "Normal",
    "Prior",
    "StandardNormal",
    "VampPrior",
    "as_prior",
]


class Prior(Protocol):
    """A distribution of codes of M units.

    Attributes
    ----------
    variables : list of tf.Variable, optional
        What is trained.
    build : callable, optional
        ``build(model, next_seed)`` creates the variables; the model calls it in its graph, on a
        copy.
    kl : callable, optional
        ``kl(means, stddev)``, the divergence of N(means, stddev²) in closed form, (B,). Without it
        the divergence is estimated at the sampled code.
    """

    def log_prob(self, Z: tf.Tensor) -> tf.Tensor:
        """Return log p(z) in nats: (B, M) to (B,)."""

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""


class Normal:
    """N(mean, deviation²) for every unit of the code.

    Parameters
    ----------
    mean, deviation
        Of each of the M units.
    M
        Size of the code.
    """

    def __init__(self, mean: float, deviation: float, M: int) -> None:
        self.mean, self.deviation, self.M = mean, deviation, M

    def kl(self, means: tf.Tensor, stddev: tf.Tensor) -> tf.Tensor:
        """Return KL(N(means, stddev²) || p(z)) in nats: (B, M) to (B,)."""
        return kl_divergence_gaussians(means, stddev, self.mean, self.deviation)

    def log_ratio(self, Z: tf.Tensor, means: tf.Tensor, stddev: tf.Tensor) -> tf.Tensor:
        """Return log q(z|x) − log p(z) in nats, (B,), whose mean over z ~ q is the divergence."""
        return log_density_ratio_gaussians(Z, means, stddev, self.mean, self.deviation)

    def log_prob(self, Z: tf.Tensor) -> tf.Tensor:
        """Return log p(z) in nats: (B, M) to (B,)."""
        return log_density_gaussian(Z, self.mean, self.deviation)

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        return self.mean + self.deviation * _standard_normal(n, self.M, seed)


class StandardNormal(Normal):
    """N(0, 1) for every unit of the code: the prior of the paper.

    Parameters
    ----------
    M
        Size of the code.
    """

    def __init__(self, M: int) -> None:
        super().__init__(0.0, 1.0, M)

    def kl(self, means: tf.Tensor, stddev: tf.Tensor) -> tf.Tensor:
        """Return KL(N(means, stddev²) || N(0, 1)) in nats: (B, M) to (B,).

        References
        ----------
        Kingma & Welling (2014), *Auto-Encoding Variational Bayes*, appendix B.
        """
        # In the original's order of operations: the golden values are held to the last bit or two.
        return tf.reduce_sum(-tf.math.log(stddev) + 0.5 * (stddev**2 + means**2) - 0.5, 1)

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        return _standard_normal(n, self.M, seed)


def _standard_normal(n: tf.Tensor | int, M: int, seed: int | None) -> tf.Tensor:
    normal = tf.compat.v1.distributions.Normal(
        loc=np.zeros(M, np.float32), scale=np.ones(M, np.float32)
    )
    return normal.sample(n, seed=seed)


@dataclass(eq=False)
class Mixture:
    """A mixture of K Gaussians: p(z) = Σ φ_k N(z; μ_k, L_k L_kᵀ), all of which is trained.

    Its density is that of `vae_tf1.gmm_energy`.

    Parameters
    ----------
    K
        Number of components.
    least_stddev
        Is added to the diagonal of each L.
    """

    K: int = 10
    least_stddev: float = 1e-3
    variables: list[tf.Variable] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        self.K = check_count(self.K, "K")
        self.least_stddev = check_positive(self.least_stddev, "least_stddev")

    def build(self, model: Any, next_seed: Seeds) -> None:
        """Create logits (K,), means (K, M) drawn from N(0, I), and factors (K, M, M) of I."""
        M = model.M
        unbounded = np.log(np.expm1(1 - self.least_stddev)) * np.eye(M)
        self.logits = _variable(np.zeros(self.K, np.float32))
        self.means = _variable(tf.random.stateless_normal((self.K, M), next_seed()))
        self.unbounded = _variable(np.tile(unbounded, (self.K, 1, 1)).astype(np.float32))
        self.variables = [self.logits, self.means, self.unbounded]

    def parameters(self) -> tuple[tf.Tensor, ...]:
        """Return φ, μ, covariances, their factors L and their log determinants.

        They are the arguments of `gmm_energy`.
        """
        diagonal = tf.nn.softplus(tf.linalg.diag_part(self.unbounded)) + self.least_stddev
        L = tf.linalg.set_diag(tf.linalg.band_part(self.unbounded, -1, 0), diagonal)
        log_det_cov = 2 * tf.reduce_sum(tf.math.log(diagonal), 1)
        cov = tf.matmul(L, L, transpose_b=True)
        return tf.nn.softmax(self.logits), tf.identity(self.means), cov, L, log_det_cov

    def log_prob(self, Z: tf.Tensor) -> tf.Tensor:
        """Return log p(z) in nats: (B, M) to (B,)."""
        phi, mu, cov, L, log_det_cov = self.parameters()
        return -gmm_energy(Z, phi, mu, cov, L, log_det_cov, return_mean=False)[0]

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        _, mu, _, L, _ = self.parameters()
        component = tf.random.categorical(self.logits[tf.newaxis], n, seed=seed)[0]
        epsilon = _standard_normal(n, mu.shape.as_list()[1], _another(seed))
        return tf.gather(mu, component) + tf.linalg.matvec(tf.gather(L, component), epsilon)


@dataclass(eq=False)
class VampPrior:
    """The mean of the encoder's Gaussians at K pseudo-images u_k: p(z) = 1/K Σ q(z|u_k).

    With a flow, of the Gaussians before it.

    Parameters
    ----------
    K
        Number of pseudo-images, which are trained.
    inputs
        Images (K, D) to begin with, rows of the training data for one. By default each value is
        drawn.

    References
    ----------
    Tomczak & Welling (2018), *VAE with a VampPrior*, AISTATS.
    """

    K: int = 500
    inputs: Any = field(default=None, repr=False)
    variables: list[tf.Variable] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        self.K = check_count(self.K, "K")

    def build(self, model: Any, next_seed: Seeds) -> None:
        """Create the pseudo-images, unbounded (K, D)."""
        self._model = model
        self._support = support_of(model.likelihood)
        if self.inputs is None:
            initial = tf.random.stateless_normal((self.K, model.D), next_seed())
        else:
            initial = _unbounded(self._images(model.D), self._support)
        self.inputs = None  # the copy that is built needs no data
        self.unbounded = _variable(initial)
        self.variables = [self.unbounded]

    def _images(self, D: int) -> np.ndarray:
        images = np.asarray(self.inputs, np.float32)
        if images.shape != (self.K, D):
            raise ValueError(
                f"the VampPrior's inputs have shape {images.shape}, expected ({self.K}, {D})"
            )
        low, high = images.min(), images.max()
        if not (
            np.isfinite(images).all() and self._support.low <= low <= high <= self._support.high
        ):
            raise ValueError(
                f"the VampPrior's inputs are from {low:g} to {high:g}, but "
                f"{self._support.expected} are expected"
            )
        return images

    def pseudo_inputs(self) -> tf.Tensor:
        """Return the pseudo-images, (K, D), of the values that the likelihood takes."""
        return _bounded(tf.identity(self.unbounded), self._support)

    def log_prob(self, Z: tf.Tensor) -> tf.Tensor:
        """Return log p(z) in nats: (B, M) to (B,)."""
        means, stddev = self._model.posterior(self._model.encode(self.pseudo_inputs()))
        each = log_density_gaussian(Z[:, tf.newaxis], means, stddev)  # (B, K)
        return tf.reduce_logsumexp(each, 1) - math.log(self.K)

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        component = tf.random.uniform([n], maxval=self.K, dtype=tf.int32, seed=seed)
        chosen = tf.gather(self.pseudo_inputs(), component)
        means, stddev = self._model.posterior(self._model.encode(chosen))
        return means + stddev * _standard_normal(n, self._model.M, _another(seed))


class FlowPrior:
    """N(0, I) mapped by a flow.

    Parameters
    ----------
    flow
        One that has an inverse: `RealNVP`, `MaskedAutoregressive`, a bijector.
    """

    def __init__(self, flow: Flow) -> None:
        if not hasattr(flow, "inverse"):
            raise TypeError(
                f"{type(flow).__name__} has no inverse, which the density of a prior needs: give "
                "RealNVP, MaskedAutoregressive or a bijector"
            )
        self.flow = flow

    def build(self, model: Any, next_seed: Seeds) -> None:
        """Build the flow, without a context."""
        self.M = model.M
        self.flow = adopted(self.flow, self.M, next_seed, 0)
        flows.check_size(self.flow, self.M, 0)

    @property
    def variables(self) -> list[tf.Variable]:
        """Those of the flow."""
        return list(getattr(self.flow, "variables", ()))

    def log_prob(self, Z: tf.Tensor) -> tf.Tensor:
        """Return log p(z) = log N(z₀; 0, I) + log |det ∂z₀/∂z| in nats: (B, M) to (B,)."""
        Z0, log_det = self.flow.inverse(Z)
        return log_density_gaussian(Z0, 0.0, 1.0) + log_det

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        return self.flow.forward(_standard_normal(n, self.M, seed), None)[0]


class _Given:
    """A distribution of TensorFlow Probability, or a function that returns a prior in the graph."""

    def __init__(self, distribution: Any) -> None:
        self.distribution = distribution
        self.__name__ = getattr(distribution, "__name__", type(distribution).__name__)
        self._values = values_of(distribution) if is_tfp(distribution) else {}
        self.variables: list[tf.Variable] = []

    def build(self, model: Any, next_seed: Seeds) -> None:
        """Make the distribution in the graph that is the default one."""
        given = self.distribution
        self.distribution = in_graph(given, self._values) if is_tfp(given) else given()
        _check_methods(self.distribution)
        if is_tfp(self.distribution):
            event = self.distribution.event_shape.as_list()
            batch = self.distribution.batch_shape.as_list()
            if (batch, event) != ([], [model.M]):
                raise ValueError(
                    f"the prior has batch shape {batch} and event shape {event}, expected [] and "
                    f"[{model.M}]; tfd.Independent makes one of the other"
                )
            self.variables = list(self.distribution.trainable_variables)
            self._find_kl(model.M)
        else:
            self.variables = list(getattr(self.distribution, "variables", ()))

    def _find_kl(self, M: int) -> None:
        """Provide `kl` if the library has it in closed form."""
        from tensorflow_probability import distributions as tfd

        kinds = (
            lambda means, stddev: tfd.Independent(tfd.Normal(means, stddev), 1),
            tfd.MultivariateNormalDiag,
        )
        for kind in kinds:
            try:
                kind(tf.zeros((1, M)), tf.ones((1, M))).kl_divergence(self.distribution)
            except (NotImplementedError, ValueError):
                continue
            self.kl = lambda means, stddev, kind=kind: kind(means, stddev).kl_divergence(
                self.distribution
            )
            return

    def log_prob(self, Z: tf.Tensor) -> tf.Tensor:
        """Return log p(z) in nats: (B, M) to (B,)."""
        return self.distribution.log_prob(Z)

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        return self.distribution.sample(n, seed=seed)


READY_MADE = {Mixture.__name__: Mixture, VampPrior.__name__: VampPrior, **flows.READY_MADE}


def as_prior(prior: Any, M: int) -> Prior:
    """Return the prior that the argument of a model means.

    Parameters
    ----------
    prior
        None, a `vae_tf1.Gaussian`, a prior, a flow, a bijector or distribution of TensorFlow
        Probability, or a function that returns a prior in the model's graph.
    M
        Size of the code.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    if prior is None:
        return StandardNormal(M)
    if hasattr(prior, "KL_divergence"):
        return Normal(prior.prior_mean, prior.prior_deviation, M)
    if not isinstance(prior, type):
        if hasattr(prior, "forward"):
            return FlowPrior(flows.as_flow(prior))
        if is_tfp(prior):
            return _Given(prior)
        if hasattr(prior, "log_prob") or hasattr(prior, "sample"):
            _check_methods(prior)
            return prior
        if callable(prior):
            return _Given(prior)
    raise TypeError(
        "prior must be None, a Gaussian, one of vae_tf1.priors, a flow, or an object with "
        f"log_prob and sample, not {prior!r}"
    )


def check_shape(prior: Prior, M: int) -> None:
    """Raise a ValueError unless a prior that has been built gives each code (B, M) a density."""
    with tf.name_scope("check"):
        try:
            log_prob = prior.log_prob(tf.compat.v1.placeholder(tf.float32, (None, M)))
            shape = log_prob.shape
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            message = str(error).strip().splitlines()[0]
            raise ValueError(f"the prior does not take codes of M = {M} units: {message}") from None
    if shape.rank != 1:
        raise ValueError(
            f"log_prob of the prior must have shape (B,) for codes of shape (B, {M}), not {shape}"
        )


def _check_methods(prior: Any) -> None:
    lacking = [name for name in ("log_prob", "sample") if not hasattr(prior, name)]
    if lacking:
        raise TypeError(
            f"prior must have log_prob(Z) and sample(n), but {type(prior).__name__} has no "
            f"{lacking[0]}"
        )


def _bounded(value: tf.Tensor, support: Support) -> tf.Tensor:
    """Return numbers of a support for any numbers."""
    if support == REAL:
        return value
    if math.isfinite(support.low) and math.isfinite(support.high):
        return support.low + (support.high - support.low) * tf.nn.sigmoid(value)
    if math.isfinite(support.low):
        return support.low + tf.nn.softplus(value)
    return support.high - tf.nn.softplus(value)


def _unbounded(value: np.ndarray, support: Support) -> np.ndarray:
    """Return what `_bounded` makes these numbers of, the ends of an interval excepted."""
    if support == REAL:
        return value
    if math.isfinite(support.low) and math.isfinite(support.high):
        share = np.clip((value - support.low) / (support.high - support.low), 0.01, 0.99)
        return np.log(share / (1 - share)).astype(np.float32)
    distance = value - support.low if math.isfinite(support.low) else support.high - value
    distance = np.maximum(distance, 0.01)
    return (distance + np.log(-np.expm1(-distance))).astype(np.float32)


def _another(seed: int | None) -> int | None:
    """Return a second seed, so that two draws of one sample are independent."""
    return None if seed is None else seed ^ 0x5DEECE66


def _variable(initial: Any) -> tf.Variable:
    return tf.compat.v1.Variable(initial, use_resource=True)
