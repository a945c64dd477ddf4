"""The same model and update in Keras 3, trained by `Model.fit`: what a user would pick instead."""

from __future__ import annotations

import os

import numpy as np

from benchmarks.problem import D, Problem


def _build(problem: Problem):
    """Return the model, compiled; Keras has been told its backend."""
    import keras
    from keras import ops

    M = problem.M

    def layers(D: int, widths: list[int]) -> keras.Sequential:
        *hidden, last = widths
        dense = [keras.layers.Dense(width, "relu") for width in hidden]
        return keras.Sequential([keras.Input((D,)), *dense, keras.layers.Dense(last)])

    class VAE(keras.Model):
        """Its loss is −ELBO, summed over the minibatch."""

        def __init__(self) -> None:
            super().__init__()
            *hidden, _ = problem.sizes
            self.encoder = layers(D, [*hidden, 2 * M])
            self.decoder = layers(M, [*reversed(hidden), D])
            self.noise = keras.random.SeedGenerator(problem.seed)

        def call(self, inputs):
            """Add the loss of images, or of a pair of images and noise; return the logits."""
            x, epsilon = inputs if isinstance(inputs, list | tuple) else (inputs, None)
            encoded = self.encoder(x)
            means, stddev = encoded[:, :M], ops.softplus(encoded[:, M:]) + 1e-6
            if epsilon is None:
                epsilon = keras.random.normal(ops.shape(means), seed=self.noise)
            logits = self.decoder(epsilon * stddev + means)
            kl = -ops.log(stddev) + 0.5 * (stddev**2 + means**2) - 0.5
            loss = ops.binary_crossentropy(x, logits, from_logits=True)
            self.add_loss(ops.sum(loss) + ops.sum(kl))
            return logits

    model = VAE()
    variables = [*model.encoder.weights, *model.decoder.weights]
    for variable, value in zip(variables, sum(problem.weights(), ()), strict=True):
        variable.assign(value)
    optimizer = keras.optimizers.RMSprop(0.001, rho=0.9, epsilon=1e-10)
    optimizer.build(variables)
    for mean_square in optimizer._velocities:  # TensorFlow 1's start at one
        mean_square.assign(np.ones(mean_square.shape, np.float32))
    model.compile(optimizer, jit_compile=True)
    return model


class _Keras:
    backend: str

    def __init__(self, problem: Problem) -> None:
        os.environ["KERAS_BACKEND"] = self.backend  # read when Keras is imported
        self.problem = problem
        rows = problem.n_batches * problem.batch_sz  # no smaller minibatch at the end
        self.X = problem.images()[:rows].astype(np.float32)
        self.model = _build(problem)

    def replay(self, images: np.ndarray, epsilon: np.ndarray) -> np.ndarray:
        losses = []
        for x, e in zip(images.astype(np.float32), epsilon, strict=True):
            self.model.reset_metrics()
            losses.append(self.model.train_on_batch((x, e)))
        return -np.array(losses).reshape(-1) / self.problem.batch_sz

    def epoch(self) -> float:
        done = self.model.fit(self.X, batch_size=self.problem.batch_sz, epochs=1, verbose=0)
        return -float(done.history["loss"][0]) / self.problem.batch_sz


class OnTensorFlow(_Keras):
    """Keras' TensorFlow backend."""

    backend = "tensorflow"


class OnJAX(_Keras):
    """Keras' JAX backend."""

    backend = "jax"
