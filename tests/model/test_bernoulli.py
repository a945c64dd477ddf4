"""The Bernoulli likelihood, against float64 and at its extremes."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_expit

from vae_tf1.model.bernoulli import bernoulli_log_likelihood

LOGITS = np.array([[-200, -90, -20, -3, -1e-3, 0, 1e-3, 3, 20, 90, 200]], np.float32)


@pytest.fixture(params=[False, True], ids=["plain", "XLA"])
def in_graph(request):
    """Return the likelihood of images, and its gradient in the images and in the logits."""

    @tf.function(jit_compile=request.param)
    def run(X, logits):
        value = bernoulli_log_likelihood(X, logits)
        return value, *tf.gradients(value, [X, logits])

    return lambda *given: [result.numpy() for result in run(*map(tf.constant, given))]


def in_float64(X, logits):
    X, logits = X.astype(np.float64), logits.astype(np.float64)
    return (X * log_expit(logits) + (1 - X) * log_expit(-logits)).sum(1)


@pytest.mark.parametrize("x", [0, 0.25, 1])
def test_each_pixel_and_its_gradients_are_those_of_float64(in_graph, x):
    logits = LOGITS.T
    X = np.full_like(logits, x)
    value, in_X, in_logits = in_graph(X, logits)
    np.testing.assert_allclose(value, in_float64(X, logits), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(in_X, logits)
    np.testing.assert_allclose(in_logits, x - expit(np.float64(logits)), rtol=1e-6, atol=1e-7)


# sizes of which no pixels share a logarithm, and sizes of which 2, 3, 4, 5, 6, 7 and 8 do
@pytest.mark.parametrize(
    ("D", "atol"), [*((D, 1e-6) for D in (1, 13, 143, 22, 33, 44, 55, 66, 77, 88)), (784, 0)]
)
def test_an_image_is_the_sum_of_its_pixels_to_the_digits_of_float32(in_graph, D, atol):
    rng = np.random.default_rng(0)
    logits = rng.normal(-4, 6, (50, D)).astype(np.float32)  # most of them saturated, as trained
    X = (rng.random(logits.shape) < expit(logits)).astype(np.float32)
    value, in_X, in_logits = in_graph(X, logits)
    np.testing.assert_allclose(value, in_float64(X, logits), rtol=2e-6, atol=atol)
    np.testing.assert_array_equal(in_X, logits)
    np.testing.assert_allclose(in_logits, X - expit(np.float64(logits)), rtol=1e-6, atol=2e-7)


def test_pixels_without_any_contrast_do_not_overflow(in_graph):
    """Each is a factor of two in what a logarithm is taken of."""
    zeros = np.zeros((2, 784), np.float32)
    value, _, in_logits = in_graph(zeros, zeros)
    np.testing.assert_allclose(value, -784 * np.log(2), rtol=1e-6)
    np.testing.assert_array_equal(in_logits, -0.5)


def test_each_image_has_its_share_of_what_comes_from_above():
    X, logits = (np.random.default_rng(2).random((3, 14)).astype(np.float32) for _ in range(2))

    @tf.function
    def run(weights):
        value = tf.reduce_sum(weights * bernoulli_log_likelihood(tf.constant(X), logits_))
        return tf.gradients(value, logits_)[0]

    logits_ = tf.Variable(logits)
    weights = np.array([1, -2, 0.5], np.float32)
    expected = weights[:, None] * (X - expit(logits))
    np.testing.assert_allclose(run(tf.constant(weights)), expected, rtol=1e-5)


def test_it_is_the_log_probability_of_tensorflows_bernoulli(in_graph):
    X = np.random.default_rng(1).random(LOGITS.shape).astype(np.float32)
    theirs = tf.compat.v1.distributions.Bernoulli(logits=LOGITS).log_prob(X)
    ours, _, _ = in_graph(X, LOGITS)
    np.testing.assert_allclose(ours, tf.reduce_sum(theirs, 1), rtol=1e-6)


def test_the_gradient_is_x_minus_sigmoid_under_a_tape_too():
    """At a logit of zero TensorFlow's own would be X, not X − ½."""
    X = np.array([[0.0, 1.0, 0.25, 1.0]], np.float32)
    logits = tf.constant([[0.0, 0.0, -0.0, 2.0]])
    in_function = tf.function(lambda x, y: tape(x, y), autograph=False)

    def tape(X, logits):
        with tf.GradientTape() as watched:
            watched.watch([X, logits])
            value = bernoulli_log_likelihood(X, logits)
        return watched.gradient(value, [X, logits])

    expected = logits, X - 1 / (1 + np.exp(-logits))
    for gradients in (tape(tf.constant(X), logits), in_function(tf.constant(X), logits)):
        np.testing.assert_allclose(gradients[0], expected[0], atol=1e-7)
        np.testing.assert_allclose(gradients[1], expected[1], atol=1e-7)
