# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""Models with other parts in JAX: another bound, flow, prior or likelihood, and other images."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from benchmarks.problem import Problem
from benchmarks.sides import CODES
from benchmarks.sides.jax_peer import Scan


def _log_normal(z, means, stddev):
    terms = -0.5 * math.log(2 * math.pi) - jnp.log(stddev) - 0.5 * ((z - means) / stddev) ** 2
    return terms.sum(-1)


class _Parts(Scan):
    """A step that climbs the mean of `log_weights`, with the part's parameters after the layers."""

    part: str | None = None

    def parameters(self):
        layers = super().parameters()
        values = [] if self.part is None else self.problem.part(self.part)
        return [*layers, [jnp.asarray(value) for value in values]]

    def through(self, part, z):
        """Return the code and log |det ∂z/∂z₀|."""
        return z, 0.0

    def log_prior(self, part, z):
        return _log_normal(z, 0.0, 1.0)

    def log_weights(self, parameters, x, epsilon):
        *layers, part = parameters
        means, stddev = self.encode(layers, x)
        means, stddev, x = (jnp.repeat(a, self.codes, 0) for a in (means, stddev, x))
        base = epsilon * stddev + means
        z, log_det = self.through(part, base)
        log_posterior = _log_normal(base, means, stddev) - log_det
        log_joint = self.log_likelihood(x, self.decode(layers, z)) + self.log_prior(part, z)
        return (log_joint - log_posterior).reshape(-1, self.codes)

    def bound(self, parameters, x, epsilon):
        log_weights = self.log_weights(parameters, x, epsilon)
        trained = jax.nn.logsumexp(log_weights, 1).sum() - len(x) * math.log(self.codes)
        return trained, log_weights.mean(1).sum()

    def gradients(self, parameters, x, epsilon):
        (_, elbo), gradients = jax.value_and_grad(self.bound, has_aux=True)(parameters, x, epsilon)
        return elbo, gradients


class ImportanceWeighted(_Parts):
    """The importance-weighted bound of five codes an image."""

    codes = 5


class PlanarFlow(_Parts):
    """A planar flow of ten maps."""

    part = "planar"

    def through(self, part, z):
        w, u, b = part
        wu = (w * u).sum(1, keepdims=True)
        u = u + (jax.nn.softplus(wu) - 1 - wu) * w / (w * w).sum(1, keepdims=True)
        wu = (w * u).sum(1)
        log_det = jnp.zeros(len(z))
        for i in range(len(b)):
            h = jnp.tanh(z @ w[i] + b[i])
            z = z + h[:, None] * u[i]
            log_det += jnp.log1p((1 - h * h) * wu[i])
        return z, log_det


class MixturePrior(_Parts):
    """A mixture of ten Gaussians as the prior."""

    part = "mixture"

    def log_prior(self, part, z):
        logits, means, unbounded = part
        diagonal = jax.nn.softplus(jnp.diagonal(unbounded, axis1=1, axis2=2)) + 1e-3
        L = jnp.tril(unbounded, -1) + diagonal[:, :, None] * jnp.eye(z.shape[1])
        offset = z.T - means[:, :, None]
        standardised = jax.scipy.linalg.solve_triangular(L, offset, lower=True)
        log_normal = -0.5 * (standardised**2).sum(1) - jnp.log(diagonal).sum(1)[:, None]
        log_normal -= 0.5 * z.shape[1] * math.log(2 * math.pi)
        return jax.nn.logsumexp(jax.nn.log_softmax(logits)[:, None] + log_normal, 0)


class ContinuousBernoulli(Scan):
    """The continuous Bernoulli likelihood."""

    def log_likelihood(self, x, logits):
        small = jnp.abs(logits) < 0.5
        size = jnp.where(small, 1.0, jnp.abs(logits))
        squared = jnp.where(small, logits, 0.0) ** 2
        near = logits / 2 + squared / 24 - squared**2 / 2880 + squared**3 / 181440
        far = jnp.maximum(logits, 0) + jnp.log(-jnp.expm1(-size) / size)
        return (x * logits - jnp.where(small, near, far)).sum(-1)


class Dynamic(Scan):
    """Grey images, drawn binary anew in every step."""

    grey = True

    def seen(self, images, key):
        return jax.random.bernoulli(key, images / 255).astype(jnp.float32)


class LogLikelihood(_Parts):
    """log p(x) by importance sampling, an image after the other."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.codes = min(CODES, len(self.X))
        self.X = self.X[: len(self.X) // self.codes]

        def estimate(parameters, X, key):
            shape, zero = (self.codes, problem.M), jnp.zeros(())

            def one(carry, given):
                epsilon = jax.random.normal(given[1], shape)
                bound, _ = self.bound(parameters, given[0][None].astype(jnp.float32), epsilon)
                return carry + bound, None

            total, _ = jax.lax.scan(one, zero, (X, jax.random.split(key, len(X))))
            return total / len(X)

        self._estimate = jax.jit(estimate)

    def likelihood(self) -> float:
        self.key, key = jax.random.split(self.key)
        return float(self._estimate(self.state[0], self.X, key))
