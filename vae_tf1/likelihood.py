"""The likelihood of an image under the decoder's Bernoulli distribution."""

from __future__ import annotations

import tensorflow as tf


def bernoulli_log_likelihood(X: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return log p(x|z) = Σ x · logits - log(1 + exp(logits)) over the pixels of each image.

    Parameters
    ----------
    X
        Images, shape (B, D), values in [0, 1].
    logits
        Of the Bernoulli distributions, same shape.

    Returns
    -------
    tf.Tensor
        Nats, shape (B,).

    References
    ----------
    Kingma & Welling (2014), *Auto-Encoding Variational Bayes*, appendix C.1.
    """
    # log(1 + exp(logits)) = max(logits, 0) + log(1 + exp(-|logits|)), which never overflows; with
    # conditions for max and abs, so that the gradient is right where a logit is zero. log1p would
    # take twice the time, for digits that a float32 sum over the pixels does not keep.
    positive = logits >= 0
    smaller = tf.exp(tf.where(positive, -logits, logits))
    log_normalizer = tf.where(positive, logits, 0.0) + tf.math.log(1.0 + smaller)
    return tf.reduce_sum(X * logits - log_normalizer, 1)
