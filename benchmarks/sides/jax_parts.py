# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""Models with other parts in JAX: a bound of several codes, a flow, a mixture prior."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

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

    def encode(self, layers, x):
        *hidden, (W, b) = layers[: self.problem.encoder_depth]
        for W_hidden, b_hidden in hidden:
            x = jax.nn.relu(x @ W_hidden + b_hidden)
        encoded, M = x @ W + b, self.problem.M
        return encoded[:, :M], jax.nn.softplus(encoded[:, M:]) + 1e-6

    def log_likelihood(self, layers, x, z):
        *hidden, (W, b) = layers[self.problem.encoder_depth :]
        for W_hidden, b_hidden in hidden:
            z = jax.nn.relu(z @ W_hidden + b_hidden)
        logits = z @ W + b
        loss = jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))
        return -loss.sum(-1)

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
        log_joint = self.log_likelihood(layers, x, z) + self.log_prior(part, z)
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
