"""What is trained: the same images, initial weights and minibatches for every side."""

from __future__ import annotations

import itertools
import os
import tempfile
import weakref
from dataclasses import dataclass

import numpy as np

from vae_tf1.data.mnist import builtin_digits

D = 784
_DRAWN = 10_000  # different images; more rows repeat them
_IN_MEMORY = 100_000  # rows; more are a file mapping

Weights = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Problem:
    """A training, and how many threads a side may use for it.

    Attributes
    ----------
    rows
        Number of images an epoch.
    batch_sz
        Images a step.
    sizes
        Hidden layer sizes of the encoder; the last is M, the size of the code.
    threads
        Number of processors.
    seed
        Determines the initial weights.
    codes, components
        What the products of a model with other parts are: codes an image, and components of a
        mixture prior. The sides with such parts have numbers of their own.
    """

    rows: int = 60_000
    batch_sz: int = 64
    sizes: tuple[int, ...] = (200, 100)
    threads: int = 2
    seed: int = 0
    codes: int = 1
    components: int = 0

    @property
    def n_batches(self) -> int:
        """Steps an epoch; the ragged rest is left out, as the original does."""
        return self.rows // self.batch_sz

    @property
    def M(self) -> int:
        """The size of the code."""
        return self.sizes[-1]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """The shape of each weight matrix, encoder first."""
        *hidden, M = self.sizes
        widths = [D, *hidden, 2 * M], [M, *reversed(hidden), D]
        return [pair for w in widths for pair in itertools.pairwise(w)]

    @property
    def encoder_depth(self) -> int:
        """How many of the layers belong to the encoder."""
        return len(self.sizes)

    def images(self, grey: bool = False) -> np.ndarray:
        """Return images, uint8 (rows, 784), of 0 and 1; if `grey`, of 0 to 255.

        Very many of them are a file mapping.
        """
        digits, _ = builtin_digits(min(self.rows, _DRAWN))
        if not grey:
            digits = (digits > 127).astype(np.uint8)
        if self.rows <= _IN_MEMORY:
            return np.resize(digits, (self.rows, D))
        with tempfile.NamedTemporaryFile(delete=False) as file:
            for start in range(0, self.rows, len(digits)):
                digits[: self.rows - start].tofile(file)
        images = np.memmap(file.name, np.uint8, "r", shape=(self.rows, D))
        weakref.finalize(images, os.unlink, file.name)
        return images

    def weights(self) -> Weights:
        """Return the initial W and b of each layer: the original's N(0, 1) · 2/√fan-in, and 0."""
        rng = np.random.default_rng(self.seed)
        return [
            (
                rng.standard_normal(shape, np.float32) * np.float32(2 / np.sqrt(shape[0])),
                np.zeros(shape[1], np.float32),
            )
            for shape in self.shapes
        ]

    def part(self, name: str) -> list[np.ndarray]:
        """Return initial values of the variables of a planar flow or a mixture prior, of ten each.

        They are those of `vae_tf1.flows.Planar` (w, u, b) and `vae_tf1.priors.Mixture` (logits,
        means, and the lower triangular factors before softplus makes their diagonals positive).
        """
        rng, n, M = np.random.default_rng(self.seed), 10, self.M
        vectors = rng.standard_normal((2, n, M), np.float32)
        if name == "planar":
            return [vectors[0] / np.float32(np.sqrt(M)), vectors[1] / 100, np.zeros(n, np.float32)]
        factors = np.tile(0.5413 * np.eye(M, dtype=np.float32), (n, 1, 1))  # softplus gives 1
        return [np.zeros(n, np.float32), vectors[0], factors]

    def products(self) -> list[tuple[int, int, int]]:
        """Return (m, k, n) of every matrix product of a training step.

        Each layer has one forward and one for its weights' gradient; all but the first have one
        more for the gradient of what they were given. So has each factor of a mixture prior.
        """
        rows = self.batch_sz * self.codes
        layers = [
            (self.batch_sz if i < self.encoder_depth else rows, k, n)
            for i, (k, n) in enumerate(self.shapes)
        ]
        layers += self.components * [(rows, self.M, self.M)]
        weights = [(k, b, n) for b, k, n in layers]
        inputs = [(b, n, k) for b, k, n in layers[1:]]
        return layers + weights + inputs

    def flops(self) -> float:
        """Return the operations of the products of an epoch."""
        return self.n_batches * sum(2.0 * m * k * n for m, k, n in self.products())
