# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""`VariationalAutoencoder.fit`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.problem import D, Problem
from vae_tf1 import VariationalAutoencoder
from vae_tf1.model import noise


class Fit:
    """`fit` as it is called by everybody, its checks of the data included."""

    compile = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.X = problem.images()
        self.vae = VariationalAutoencoder(D, problem.sizes, seed=problem.seed)
        with self.vae.graph.as_default():
            for layer, (W, b) in zip(
                self.vae.encoder_layers + self.vae.decoder_layers, problem.weights(), strict=True
            ):
                layer.W.load(W, self.vae.sess)
                layer.b.load(b, self.vae.sess)

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
            epsilon = self.vae.sess.run(noise.standard_normal(key, start, start, (steps, B, M)))
        return X[order].reshape(steps, B, D), epsilon, np.array(self._fit(X))

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
        )


class FitUncompiled(Fit):
    """The same without XLA."""

    compile = False
