# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""The matrix products of an epoch and nothing else: the floor under every training.

All forward and backward products of each step, in float32, at the training's shapes, each of what
the product before it made and of another minibatch each step, so that none can be left out or
moved out of the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.problem import D, Problem

_DISTINCT = 64  # minibatches, which then repeat: as much memory as a chunk of the training


def step(
    x, epsilon, encoder: list, decoder: list, product: Callable, factors: Sequence = ()
) -> list:
    """Make the products of one step; `product(a, b, transpose_a, transpose_b)` makes one.

    `factors` are those of a mixture prior's covariances, each of which meets all codes.

    Returns
    -------
    list
        What a training would go on with: the gradients of the decoder's weights, last layer first,
        that of the code, and the gradients of the encoder's weights, last layer first; then that
        of each factor, and that of the code through it.
    """

    def forward(value, Ws):
        values = [value]
        for W in Ws:
            values.append(product(values[-1], W, False, False))
        return values

    def backward(values, Ws, to_input):
        delta = values.pop()
        for i in reversed(range(len(Ws))):
            gradients.append(product(values[i], delta, True, False))
            if i or to_input:
                delta = product(delta, Ws[i], False, True)
        return delta

    gradients = []
    to_code, to_logits = forward(x, encoder), forward(epsilon, decoder)
    gradients.append(backward(to_logits, decoder, True))
    backward(to_code, encoder, False)
    for L in factors:
        standardised = product(epsilon, L, False, False)
        gradients.append(product(epsilon, standardised, True, False))
        gradients.append(product(standardised, L, False, True))
    return gradients


class _Products:
    def __init__(self, problem: Problem) -> None:
        self.n_batches = problem.n_batches
        count, B = min(_DISTINCT, problem.n_batches), problem.batch_sz
        images = problem.images()[: count * B].astype(np.float32)
        rng = np.random.default_rng(0)
        self.x = images.reshape(count, B, D)
        M = problem.M
        self.epsilon = rng.standard_normal((count, B * problem.codes, M), np.float32)
        self.factors = list(rng.standard_normal((problem.components, M, M), np.float32))
        Ws = [W for W, _ in problem.weights()]
        self.encoder, self.decoder = Ws[: problem.encoder_depth], Ws[problem.encoder_depth :]


class _Buffered(_Products):
    """For libraries that are called from Python: results go where the last step's went."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._buffers: list = []
        self._next = 0

    def product(self, a, b, transpose_a: bool, transpose_b: bool):
        a, b = (a.T if transpose_a else a), (b.T if transpose_b else b)
        if self._next == len(self._buffers):
            self._buffers.append(self.multiply(a, b))
        result = self.multiply(a, b, out=self._buffers[self._next])
        self._next += 1
        return result

    def epoch(self) -> float:
        for j in range(self.n_batches):
            self._next = 0
            i = j % len(self.x)
            step(
                self.x[i],
                self.epsilon[i],
                self.encoder,
                self.decoder,
                self.product,
                self.factors,
            )
        return float("nan")


class NumPy(_Buffered):
    """NumPy's BLAS, which is OpenBLAS in its wheels."""

    multiply = staticmethod(np.matmul)


class PyTorch(_Buffered):
    """`torch.mm`, which is Intel's MKL in its wheels."""

    def __init__(self, problem: Problem) -> None:
        import torch

        super().__init__(problem)
        torch.set_num_threads(problem.threads)
        torch.set_grad_enabled(False)
        self.multiply = torch.mm
        self.x, self.epsilon = torch.from_numpy(self.x), torch.from_numpy(self.epsilon)
        self.encoder = [torch.from_numpy(W) for W in self.encoder]
        self.decoder = [torch.from_numpy(W) for W in self.decoder]
        self.factors = [torch.from_numpy(L) for L in self.factors]


class TensorFlow(_Products):
    """`tf.matmul` in a loop inside the graph."""

    compile = False

    def __init__(self, problem: Problem) -> None:
        import tensorflow as tf

        super().__init__(problem)
        v1 = tf.compat.v1
        v1.disable_eager_execution()
        x, epsilon, *Ws = (
            v1.Variable(value, use_resource=True)
            for value in (
                self.x,
                self.epsilon,
                *self.encoder,
                *self.decoder,
                *self.factors,
            )
        )
        depth, layers = problem.encoder_depth, len(problem.shapes)

        def product(a, b, transpose_a, transpose_b):
            return tf.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)

        def products(i):
            i %= len(self.x)
            return step(x[i], epsilon[i], Ws[:depth], Ws[depth:layers], product, Ws[layers:])

        def loop():
            _, *results = tf.while_loop(
                lambda i, *_: i < self.n_batches,
                lambda i, *_: (i + 1, *products(i)),
                (0, *(tf.zeros(shape) for shape in self._result_shapes(problem))),
                parallel_iterations=1,
            )
            return results

        results = tf.function(loop, jit_compile=self.compile, autograph=False)()
        self._run = tf.group(*results)
        self._sess = v1.Session()
        self._sess.run(v1.global_variables_initializer())

    @staticmethod
    def _result_shapes(problem: Problem) -> list[tuple[int, int]]:
        shapes, depth = problem.shapes, problem.encoder_depth
        code = (problem.batch_sz * problem.codes, problem.M)
        factors = problem.components * [(problem.M, problem.M), code]
        return [*reversed(shapes[depth:]), code, *reversed(shapes[:depth]), *factors]

    def epoch(self) -> float:
        self._sess.run(self._run)
        return float("nan")


class XLA(TensorFlow):
    """The same, compiled."""

    compile = True
