"""The likelihood of an image under the decoder's Bernoulli distribution."""

from __future__ import annotations

import tensorflow as tf

from vae_tf1.backend.gradients import gradient_of, is_taped

_SHARED = 7, 8, 6, 5, 4, 3, 2, 1  # pixels of a logarithm, the fastest first


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
    if is_taped():
        return _under_a_tape(X, logits)
    log_likelihood = _log_likelihood(X, logits)
    with _with_gradient():
        log_likelihood, _, _ = tf.identity_n([log_likelihood, X, logits])
    return log_likelihood


def _log_likelihood(X: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    # log(1 + exp(logits)) = max(logits, 0) + log(1 + exp(-|logits|)), which never overflows.
    # Σ log y = log Π y: some pixels share a logarithm, since no y is above 2. log1p would keep
    # digits that a float32 sum over the pixels loses.
    D = int(logits.shape[1])
    shared = next(n for n in _SHARED if D % n == 0)
    grouped = -1, shared, D // shared
    y = tf.reshape(1.0 + tf.exp(-tf.abs(logits)), grouped)
    linear = tf.reshape(X * logits - tf.nn.relu(logits), grouped)
    terms = tf.reduce_sum(linear, 1) - tf.math.log(tf.reduce_prod(y, 1))
    return tf.reduce_sum(terms, 1)


def _gradient(X: tf.Tensor, logits: tf.Tensor, upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the gradients of X and of the logits: X − sigmoid(logits), at a logit of zero too."""
    upstream = upstream[:, tf.newaxis]
    return upstream * logits, upstream * (X - tf.nn.sigmoid(logits))


def _gradient_in_graph(identity: tf.Operation, upstream: tf.Tensor, *_: tf.Tensor) -> tuple:
    _, X, logits = identity.inputs
    return None, *_gradient(X, logits, upstream)


_with_gradient = gradient_of("IdentityN", _gradient_in_graph)


@tf.custom_gradient
def _under_a_tape(X: tf.Tensor, logits: tf.Tensor) -> tuple:
    return _log_likelihood(X, logits), lambda upstream: _gradient(X, logits, upstream)
