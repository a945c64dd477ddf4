# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""Any number of images through a model: this project's methods, and their matrix products."""

from __future__ import annotations

import numpy as np

from benchmarks.problem import Problem
from benchmarks.sides import CODES
from benchmarks.sides.ours import Fit

_BLOCK = 1024  # rows a product, of the few sizes tried the fastest for every library


class Inference(Fit):
    """`transform`, `prior_predictive_with_input` and `evaluate`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        rng = np.random.default_rng(problem.seed)
        self.Z = rng.standard_normal((problem.rows, problem.M), np.float32)

    def encode(self) -> None:
        self.vae.transform(self.X)

    def decode(self) -> None:
        self.vae.prior_predictive_with_input(self.Z)

    def evaluate(self) -> None:
        self.vae.evaluate(self.X)

    def likelihood(self) -> float:
        codes = min(CODES, len(self.X))
        X = self.X[: len(self.X) // codes]
        return float(np.mean(self.vae.log_likelihood(X, codes, progress=False)))


class _Products:
    """The forward products, a block of rows at a time, on float32 that is there already."""

    def __init__(self, problem: Problem) -> None:
        rng = np.random.default_rng(problem.seed)
        Ws = [W for W, _ in problem.weights()]
        self.encoder, self.decoder = Ws[: problem.encoder_depth], Ws[problem.encoder_depth :]
        self.X = problem.images().astype(np.float32)
        self.Z = rng.standard_normal((problem.rows, problem.M), np.float32)

    def encode(self) -> None:
        self.through(self.X, self.encoder)

    def decode(self) -> None:
        self.through(self.Z, self.decoder)

    def evaluate(self) -> None:
        self.encode()
        self.decode()

    def likelihood(self) -> None:
        self.decode()

    def through(self, values: np.ndarray, Ws: list) -> None:
        for start in range(0, len(values), _BLOCK):
            value = values[start : start + _BLOCK]
            for W in Ws:
                value = self.product(value, W)


class NumPy(_Products):
    """NumPy's BLAS."""

    product = staticmethod(np.matmul)


class PyTorch(_Products):
    """`torch.mm`."""

    def __init__(self, problem: Problem) -> None:
        import torch

        super().__init__(problem)
        torch.set_num_threads(problem.threads)
        self.product = torch.mm
        for name in ("X", "Z"):
            setattr(self, name, torch.from_numpy(getattr(self, name)))
        for name in ("encoder", "decoder"):
            setattr(self, name, [torch.from_numpy(W) for W in getattr(self, name)])


class TensorFlow(_Products):
    """`tf.matmul` in a loop inside the graph."""

    compile = False

    def __init__(self, problem: Problem) -> None:
        import tensorflow as tf

        super().__init__(problem)
        v1 = tf.compat.v1
        v1.disable_eager_execution()

        def loop(values, Ws):
            n_blocks = len(values) // _BLOCK
            blocks = values[: n_blocks * _BLOCK].reshape(n_blocks, _BLOCK, -1)
            rest = values[n_blocks * _BLOCK :]
            held = [v1.Variable(v, use_resource=True) for v in (blocks, rest, *Ws)]

            def through(value):
                for W in held[2:]:
                    value = tf.matmul(value, W)
                return value

            def products():
                result = tf.zeros((_BLOCK, Ws[-1].shape[1]))
                _, result = tf.while_loop(
                    lambda i, _: i < n_blocks,
                    lambda i, _: (i + 1, through(held[0][i])),
                    (0, result),
                    parallel_iterations=1,
                )
                return result, through(held[1][:])

            return tf.group(*tf.function(products, jit_compile=self.compile, autograph=False)())

        encode, decode = loop(self.X, self.encoder), loop(self.Z, self.decoder)
        sess = v1.Session()
        sess.run(v1.global_variables_initializer())
        self.encode = lambda: sess.run(encode)
        self.decode = lambda: sess.run(decode)


class XLA(TensorFlow):
    """The same, compiled."""

    compile = True
