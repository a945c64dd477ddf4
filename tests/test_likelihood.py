"""The Bernoulli likelihood, against float64 and at its extremes."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_expit

from vae_tf1.likelihood import bernoulli_log_likelihood

LOGITS = np.array([[-200, -90, -20, -3, -1e-3, 0, 1e-3, 3, 20, 90, 200]], np.float32)


def value_and_gradient(X, logits):
    with tf.GradientTape() as tape:
        logits = tf.constant(logits)
        tape.watch(logits)
        value = bernoulli_log_likelihood(tf.constant(X), logits)
    return value.numpy(), tape.gradient(value, logits).numpy()


def in_float64(X, logits):
    X, logits = X.astype(np.float64), logits.astype(np.float64)
    return (X * log_expit(logits) + (1 - X) * log_expit(-logits)).sum(1)


@pytest.mark.parametrize("x", [0, 0.25, 1])
def test_each_pixel_and_its_gradient_are_those_of_float64(x):
    for logit in LOGITS[0]:
        X, logits = np.full((1, 1), x, np.float32), np.full((1, 1), logit)
        value, gradient = value_and_gradient(X, logits)
        np.testing.assert_allclose(value, in_float64(X, logits), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(gradient, x - expit(np.float64(logits)), rtol=1e-6, atol=1e-7)


def test_an_image_is_the_sum_of_its_pixels_to_the_digits_of_float32():
    rng = np.random.default_rng(0)
    logits = rng.normal(-4, 6, (50, 784)).astype(np.float32)  # most of them saturated, as trained
    X = (rng.random(logits.shape) < expit(logits)).astype(np.float32)
    value, _ = value_and_gradient(X, logits)
    np.testing.assert_allclose(value, in_float64(X, logits), rtol=2e-6)


def test_it_is_the_log_probability_of_tensorflows_bernoulli():
    X = np.random.default_rng(1).random(LOGITS.shape).astype(np.float32)
    theirs = tf.compat.v1.distributions.Bernoulli(logits=LOGITS).log_prob(X)
    ours, _ = value_and_gradient(X, LOGITS)
    np.testing.assert_allclose(ours, tf.reduce_sum(theirs, 1), rtol=1e-6)
