"""The product of the compiled loop, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import products


@pytest.mark.parametrize("shape", [(1, 3, 2), (5, 7, 4), (32, 40, 24)])
def test_value_and_gradients_are_those_of_the_product(shape):
    batch, M1, M2 = shape
    rng = np.random.default_rng(0)
    X, W, delta = (rng.normal(size=s) for s in ((batch, M1), (M1, M2), (batch, M2)))

    @tf.function(jit_compile=True)
    def run(X, W, delta):
        Y = products.matmul(X, W)
        return Y, *tf.gradients(Y, [X, W], delta)

    got = run(*(tf.constant(value, tf.float64) for value in (X, W, delta)))
    for value, expected in zip(got, (X @ W, delta @ W.T, X.T @ delta), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


def test_weights_may_be_a_variable():
    W = tf.Variable(np.eye(3, 2), dtype=tf.float32)

    @tf.function(jit_compile=True)
    def run(X):
        return tf.gradients(products.matmul(X, W), W)

    np.testing.assert_array_equal(run(tf.ones((4, 3)))[0], np.full((3, 2), 4))
