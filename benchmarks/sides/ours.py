# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""`VariationalAutoencoder.fit`."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.problem import D, Problem
from vae_tf1 import VariationalAutoencoder, flows, priors
from vae_tf1.data.rows import as_rows
from vae_tf1.model import noise
from vae_tf1.training.binarization import Binarizer


class Fit:
    """`fit` as it is called by everybody, its checks of the data included."""

    compile = True
    part: str | None = None  # whose variables begin with `Problem.part`
    binarization: str | None = None

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.X = self.images()
        self.vae = VariationalAutoencoder(D, problem.sizes, seed=problem.seed, **self.options())
        with self.vae.graph.as_default():
            for layer, (W, b) in zip(
                self.vae.encoder_layers + self.vae.decoder_layers, problem.weights(), strict=True
            ):
                layer.W.load(W, self.vae.sess)
                layer.b.load(b, self.vae.sess)
            if self.part is not None:
                (variables,) = filter(None, self.vae.part_variables.values())
                for variable, value in zip(variables, problem.part(self.part), strict=True):
                    variable.load(value, self.vae.sess)

    def options(self) -> dict[str, Any]:
        """Return how the model departs from the default one."""
        return {}

    def images(self) -> np.ndarray:
        """Return what is trained on."""
        return self.problem.images()

    def epoch(self) -> float:
        return float(np.mean(self._fit(self.X)))

    def reference(self, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Train for some steps; return their images, their noise and the ELBO per image of each."""
        B, M = self.problem.batch_sz, self.problem.M
        X = np.resize(self.X, (steps * B, D))
        order = noise.minibatch_order(self.vae.seed, 0, len(X))
        with self.vae.graph.as_default():
            key = noise.key(self.vae.seed, noise.Stream.EPSILON)
            start = tf.constant(0, tf.int64)
            shape = (steps, B * self.options().get("importance_samples", 1), M)
            epsilon = self.vae.sess.run(noise.standard_normal(key, start, start, shape))
        elbos = np.array(self._fit(X))
        return self.seen(X, order).reshape(steps, B, D), epsilon, elbos

    def seen(self, X: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Return these rows as the first epoch of `fit` sees them."""
        return X[order]

    def replay(self, images: np.ndarray, epsilon: np.ndarray) -> np.ndarray:
        """Repeat the reference: the noise of `fit` follows from the seed and is not given."""
        again_images, again_epsilon, elbos = self.reference(len(images))
        np.testing.assert_array_equal(again_images, images)
        np.testing.assert_array_equal(again_epsilon, epsilon)
        return elbos

    def _fit(self, X: np.ndarray) -> list[float]:
        return self.vae.fit(
            X,
            epochs=1,
            batch_sz=self.problem.batch_sz,
            progress=False,
            plot=False,
            compile=self.compile,
            binarization=self.binarization,
        )


class FitUncompiled(Fit):
    """The same without XLA."""

    compile = False


class ImportanceWeighted(Fit):
    """The importance-weighted bound of five codes an image."""

    def options(self) -> dict[str, Any]:
        return {"importance_samples": 5}


class PlanarFlow(Fit):
    """A planar flow of ten maps."""

    part = "planar"

    def options(self) -> dict[str, Any]:
        return {"flow": flows.Planar(10)}


class MixturePrior(Fit):
    """A mixture of ten Gaussians as the prior."""

    part = "mixture"

    def options(self) -> dict[str, Any]:
        return {"prior": priors.Mixture(10)}


class ContinuousBernoulli(Fit):
    """The continuous Bernoulli likelihood."""

    def options(self) -> dict[str, Any]:
        return {"likelihood": "continuous_bernoulli"}


class Dynamic(Fit):
    """Grey images, drawn binary anew in every epoch."""

    binarization = "dynamic"

    def images(self) -> np.ndarray:
        return self.problem.images(grey=True) / np.float32(255)

    def seen(self, X: np.ndarray, order: np.ndarray) -> np.ndarray:
        return Binarizer(self.vae).draw(as_rows(X, D), 0, order)
