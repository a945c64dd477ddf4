"""log p(x) of a model with two latent units, by a sum over a fine grid of z, and by sampling."""

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp


def tamed(vae, seed=0, spread=0.3):
    """Give a model weights with which q(z|x) is wider than p(z|x), and its parts random ones."""
    rng = np.random.default_rng(seed)
    of_parts = [v for found in vae.part_variables.values() for v in found]
    known = {id(v) for v in of_parts}
    for variable in vae.variables:
        value = vae.sess.run(variable)
        if id(variable) in known:
            value = value + rng.normal(size=value.shape) * spread
        else:
            value = value * 0.3
        if variable is vae.encoder_layers[-1].b:
            value[vae.M :] = 1.0  # stddev = softplus(1) = 1.3
        vae.sess.run(variable.initializer, {variable.initializer.inputs[1]: value})
    return vae


def by_grid(vae, X, half_width=9.0, steps=361):
    """Return log ∫ p(x|z) p(z) dz in nats, (N,): it knows nothing of the posterior."""
    axis = np.linspace(-half_width, half_width, steps)
    Z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2).astype(np.float32)
    with vae.graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, (1, vae.D))
        images = tf.tile(x, (tf.shape(vae.Z_input)[0], 1))
        log_joint = vae.likelihood.log_prob(
            images, vae.decode(vae.Z_input)
        ) + vae.prior_distribution.log_prob(vae.Z_input)
    logs = []
    for image in np.asarray(X, np.float32):
        feeds = ({x: image[None], vae.Z_input: block} for block in np.array_split(Z, 4))
        values = np.concatenate([vae.sess.run(log_joint, feed) for feed in feeds])
        logs.append(logsumexp(values.astype(np.float64)))
    return np.array(logs) + 2 * np.log(axis[1] - axis[0])


def by_importance(vae, X, n_samples=20_000):
    """Return the log mean of p(x|z) p(z) / q(z|x) over codes z of q(z|x), in nats, (N,)."""
    assert vae.kl == "monte_carlo"  # so that Pass.kl is log q(z|x) − log p(z) at each z
    with vae.graph.as_default():
        one_pass = vae.forward(vae.X, vae.epsilon)
        log_weights = one_pass.log_likelihood - one_pass.kl
    logs = []
    for image in np.asarray(X, np.float32):
        weights = vae.sess.run(log_weights, {vae.X: np.tile(image, (n_samples, 1))})
        logs.append(logsumexp(weights.astype(np.float64)) - np.log(n_samples))
    return np.array(logs)


def finite_differences(function, value, epsilon=1e-6):
    """Return the gradient of a scalar function of a float64 array, by central differences."""
    gradient = np.empty_like(value)
    for index in np.ndindex(value.shape):
        step = np.zeros_like(value)
        step[index] = epsilon
        gradient[index] = (function(value + step) - function(value - step)) / (2 * epsilon)
    return gradient
