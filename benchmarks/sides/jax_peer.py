# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""The same model and update in JAX."""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problem import Problem

_LEARNING_RATE, _DECAY, _EPSILON = 0.001, 0.9, 1e-10


def _through(layers, value):
    *hidden, (W, b) = layers
    for W_hidden, b_hidden in hidden:
        value = jax.nn.relu(value @ W_hidden + b_hidden)
    return value @ W + b


class _JAX:
    codes = 1  # of an image
    grey = False  # images, of 0 to 255

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.X = jnp.asarray(problem.images(grey=self.grey))
        parameters = self.parameters()
        self.state = parameters, jax.tree.map(jnp.ones_like, parameters)
        self.key = jax.random.key(problem.seed)
        self._replay = jax.jit(self._scan_given)

    def parameters(self):
        return [(jnp.asarray(W), jnp.asarray(b)) for W, b in self.problem.weights()]

    def encode(self, layers, x):
        encoded, M = _through(layers[: self.problem.encoder_depth], x), self.problem.M
        return encoded[:, :M], jax.nn.softplus(encoded[:, M:]) + 1e-6

    def decode(self, layers, z):
        return _through(layers[self.problem.encoder_depth :], z)

    def log_likelihood(self, x, logits):
        # as TensorFlow's sigmoid_cross_entropy_with_logits has it
        loss = jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))
        return -loss.sum(-1)

    def elbo(self, parameters, x, epsilon):
        means, stddev = self.encode(parameters, x)
        logits = self.decode(parameters, epsilon * stddev + means)
        kl = -jnp.log(stddev) + 0.5 * (stddev**2 + means**2) - 0.5
        return self.log_likelihood(x, logits).sum() - kl.sum()

    def gradients(self, parameters, x, epsilon):
        return jax.value_and_grad(self.elbo)(parameters, x, epsilon)

    def step(self, state, x, epsilon):
        parameters, mean_squares = state
        elbo, gradients = self.gradients(parameters, x, epsilon)
        mean_squares = jax.tree.map(
            lambda ms, g: _DECAY * ms + (1 - _DECAY) * g**2, mean_squares, gradients
        )
        parameters = jax.tree.map(
            lambda p, ms, g: p + _LEARNING_RATE * g * jax.lax.rsqrt(ms + _EPSILON),
            parameters,
            mean_squares,
            gradients,
        )
        return (parameters, mean_squares), elbo

    def _scan_given(self, state, images, epsilon):
        return jax.lax.scan(
            lambda state, given: self.step(state, given[0].astype(jnp.float32), given[1]),
            state,
            (images, epsilon),
        )

    def replay(self, images: np.ndarray, epsilon: np.ndarray) -> np.ndarray:
        self.state, elbos = self._replay(self.state, images, epsilon)
        return np.asarray(elbos) / self.problem.batch_sz

    def _order(self, key):
        n_batches, B = self.problem.n_batches, self.problem.batch_sz
        return jax.random.permutation(key, len(self.X))[: n_batches * B].reshape(n_batches, B)


class Step(_JAX):
    """A compiled step, called from Python for each minibatch."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        shape = (problem.batch_sz, problem.M)

        def step(state, X, indices, key):
            epsilon = jax.random.normal(key, shape)
            return self.step(state, X[indices].astype(jnp.float32), epsilon)

        self._step = jax.jit(step, donate_argnums=0)

    def epoch(self) -> float:
        self.key, order_key, noise_key = jax.random.split(self.key, 3)
        order = np.asarray(self._order(order_key))
        keys = jax.random.split(noise_key, len(order))
        elbos = []
        for indices, key in zip(order, keys, strict=True):
            self.state, elbo = self._step(self.state, self.X, indices, key)
            elbos.append(elbo)
        return float(np.mean(jax.device_get(elbos)) / self.problem.batch_sz)


class Scan(_JAX):
    """An epoch in one call."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        shape = (problem.n_batches, problem.batch_sz * self.codes, problem.M)

        def epoch(state, X, key):
            order_key, noise_key, images_key = jax.random.split(key, 3)
            order, epsilon = self._order(order_key), jax.random.normal(noise_key, shape)
            keys = jax.random.split(images_key, len(order))
            return jax.lax.scan(
                lambda state, given: self.step(state, self.seen(X[given[0]], given[2]), given[1]),
                state,
                (order, epsilon, keys),
            )

        self._epoch = jax.jit(epoch, donate_argnums=0)

    def seen(self, images, key):
        return images.astype(jnp.float32)

    def epoch(self) -> float:
        self.key, key = jax.random.split(self.key)
        self.state, elbos = self._epoch(self.state, self.X, key)
        return float(elbos.mean() / self.problem.batch_sz)
