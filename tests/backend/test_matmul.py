"""The product of the compiled loop, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1.backend import matmul as products


@pytest.mark.parametrize("shape", [(1, 3, 2), (5, 7, 4), (32, 40, 24)])
def test_value_and_gradients_are_those_of_the_product(shape):
    batch, M1, M2 = shape
    rng = np.random.default_rng(0)
    X, W, delta = (rng.normal(size=s) for s in ((batch, M1), (M1, M2), (batch, M2)))

    @tf.function(jit_compile=True)
    def run(X, W, delta):
        with products.for_xla():
            Y = tf.matmul(X, W)
        return Y, *tf.gradients(Y, [X, W], delta)

    got = run(*(tf.constant(value, tf.float64) for value in (X, W, delta)))
    for value, expected in zip(got, (X @ W, delta @ W.T, X.T @ delta), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


def test_weights_may_be_a_variable():
    W = tf.Variable(np.eye(3, 2), dtype=tf.float32)

    @tf.function(jit_compile=True)
    def run(X):
        with products.for_xla():
            return tf.gradients(tf.matmul(X, W), W)

    np.testing.assert_array_equal(run(tf.ones((4, 3)))[0], np.full((3, 2), 4))


def test_other_products_keep_their_gradient():
    with tf.Graph().as_default() as graph:
        X, W = tf.ones((4, 3)), tf.ones((3, 2))
        with products.for_xla():
            inside = tf.matmul(X, W)
        outside = tf.matmul(X, W)
        tf.gradients(outside, X)
        assert not any(op.type == "XlaOptimizationBarrier" for op in graph.get_operations())
        tf.gradients(inside, X)
        assert any(op.type == "XlaOptimizationBarrier" for op in graph.get_operations())
