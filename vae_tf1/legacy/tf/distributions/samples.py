"""How TF1 drew: the same numbers for the same seed of an op.

TensorFlow Probability draws by other formulas, and mixes a seed before it uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops.distributions.util import gen_new_seed

from vae_tf1.legacy.tf.distributions.bijectors import non_singular

__all__ = ["SAMPLERS"]


def _shape(self: Any, n: Any) -> tf.Tensor:
    return tf.concat([[n], self.batch_shape_tensor()], 0)


def _above_zero(shape: Any, dtype: tf.DType, seed: int | None) -> tf.Tensor:
    """Return uniform draws from the open interval between 0 and 1."""
    tiny = np.finfo(dtype.as_numpy_dtype).tiny
    return tf.random_uniform(shape, minval=tiny, maxval=1.0, dtype=dtype, seed=seed)


def _cauchy(self, n, seed):
    return self.quantile(tf.random_uniform(_shape(self, n), dtype=self.dtype, seed=seed))


def _chi2(self, n, seed):
    return tf.random_gamma([n], 0.5 * self.df, 0.5, self.dtype, seed)


def _exp_relaxed_one_hot(self, n, seed):
    logits = self.logits
    shape = tf.concat([[n], tf.shape(logits)], 0)
    uniform = _above_zero(tf.concat([[n], tf.shape(logits)], 0), self.dtype, seed)
    gumbel = -tf.log(-tf.log(uniform))
    noisy = (gumbel + logits) / self.temperature[..., tf.newaxis]
    return tf.reshape(tf.nn.log_softmax(noisy), shape)


def _geometric(self, n, seed):
    uniform = _above_zero(_shape(self, n), self.dtype, seed)
    return tf.floor(tf.log(uniform) / tf.log1p(-self.probs))


def _gumbel(self, n, seed):
    uniform = _above_zero(_shape(self, n), self.dtype, seed)
    return -tf.log(-tf.log(uniform)) * self.scale + self.loc


def _half_normal(self, n, seed):
    return tf.abs(tf.random_normal(_shape(self, n), dtype=self.dtype, seed=seed) * self.scale)


def _independent(self, n, seed):
    return self.distribution.sample(n, seed=seed)


def _inverse_gamma(self, n, seed):
    return 1 / tf.random_gamma([n], self.concentration, self.rate, self.dtype, seed)


def _kumaraswamy(self, n, seed):
    x = tf.random_uniform(_shape(self, n), dtype=self.dtype, seed=seed)
    root = tf.exp(tf.log1p(-x) / self.concentration0)
    return tf.exp(tf.log1p(-root) / self.concentration1)


def _logistic(self, n, seed):
    uniform = _above_zero(_shape(self, n), self.dtype, seed)
    return (tf.log(uniform) - tf.log1p(-uniform)) * self.scale + self.loc


def _mixture(self, n, seed):
    """Draw the component of each sample, then from each component as many as it has."""
    if self.parameters.get("use_static_graph"):
        return _mixture_of_all(self, n, seed)
    which = self.cat.sample(n, seed=seed)
    shape, size = tf.shape(which), tf.size(which)
    event_shape = self.event_shape_tensor()
    batch_size = tf.reduce_prod(self.batch_shape_tensor())
    count = len(self.components)
    places = tf.dynamic_partition(tf.reshape(tf.range(size), shape), which, count)
    in_batch = tf.reshape(tf.tile(tf.range(batch_size), [n]), shape)
    in_batch = tf.dynamic_partition(in_batch, which, count)
    drawn = []
    for component, place, batch in zip(self.components, places, in_batch, strict=True):
        seed = gen_new_seed(seed, "mixture")
        own = tf.size(place)
        samples = tf.reshape(
            component.sample(own, seed=seed), tf.concat([[own * batch_size], event_shape], 0)
        )
        drawn.append(tf.gather(samples, batch_size * tf.range(own) + batch))
    found = tf.dynamic_stitch(places, drawn)
    found = tf.reshape(found, tf.concat([shape, event_shape], 0))
    found.set_shape(which.shape.concatenate(self.event_shape))
    return found


def _mixture_of_all(self, n, seed):
    """Draw from every component, and keep one of them: no shape depends on what was drawn."""
    which, samples = self.cat.sample(n, seed=seed), []
    for component in self.components:
        seed = gen_new_seed(seed, "mixture")
        samples.append(component.sample(n, seed=seed))
    return _chosen(self, which, tf.stack(samples, -self.event_shape.rank - 1))


def _mixture_same_family(self, n, seed):
    samples = self.components_distribution.sample(n)  # without the seed, as in TF1
    return _chosen(self, self.mixture_distribution.sample(n), samples)


def _chosen(self, which, samples):
    """Return the samples, of shape [n, batch, component, event], of one component each."""
    rank = self.event_shape.rank
    mask = tf.one_hot(which, samples.shape[-rank - 1], dtype=samples.dtype)
    mask = tf.reshape(mask, tf.concat([tf.shape(mask), [1] * rank], 0))
    return tf.reduce_sum(samples * mask, -rank - 1)


def _multivariate_normal(self, n, seed):
    shape = tf.concat([[n], self.batch_shape_tensor(), self.event_shape_tensor()], 0)
    normal = tf.random_normal(shape, dtype=self.dtype, seed=seed)
    with tf.control_dependencies(non_singular(self.scale) if self.validate_args else []):
        drawn = self.scale.matvec(normal)
    return drawn if self.loc is None else drawn + self.loc


def _negative_binomial(self, n, seed):
    rate = tf.random_gamma([n], self.total_count, tf.exp(-self.logits), self.dtype, seed)
    return tf.random_poisson(rate, [], self.dtype, gen_new_seed(seed, "negative_binom"))


def _one_hot(self, n, seed):
    logits = self.logits
    shape, classes = tf.concat([[n], tf.shape(logits)], 0), tf.shape(logits)[-1]
    drawn = tf.multinomial(tf.reshape(logits, [-1, classes]), n, seed=seed)
    return tf.reshape(tf.one_hot(tf.transpose(drawn), classes, dtype=self.dtype), shape)


def _poisson(self, n, seed):
    return tf.random_poisson(self.rate, [n], self.dtype, seed)


def _quantized(self, n, seed):
    drawn = tf.ceil(self.distribution.sample(n, seed=seed))
    low, high = self.low, self.high
    drawn = drawn if low is None else tf.where(drawn < low, low * tf.ones_like(drawn), drawn)
    return drawn if high is None else tf.where(drawn > high, high * tf.ones_like(drawn), drawn)


def _relaxed_bernoulli(self, n, seed):
    uniform = _above_zero(_shape(self, n), self.dtype, seed)
    noise = tf.log(uniform) - tf.log1p(-uniform)
    return tf.sigmoid(noise * (1 / self.temperature) + self.logits / self.temperature)


def _relaxed_one_hot(self, n, seed):
    return tf.exp(_exp_relaxed_one_hot(self, n, seed))


SAMPLERS: dict[str, Callable] = {
    "Cauchy": _cauchy,
    "Chi2": _chi2,
    "Chi2WithAbsDf": _chi2,
    "ExpRelaxedOneHotCategorical": _exp_relaxed_one_hot,
    "Geometric": _geometric,
    "Gumbel": _gumbel,
    "HalfNormal": _half_normal,
    "Independent": _independent,
    "InverseGamma": _inverse_gamma,
    "InverseGammaWithSoftplusConcentrationRate": _inverse_gamma,
    "Kumaraswamy": _kumaraswamy,
    "Logistic": _logistic,
    "Mixture": _mixture,
    "MixtureSameFamily": _mixture_same_family,
    "MultivariateNormalDiag": _multivariate_normal,
    "MultivariateNormalDiagPlusLowRank": _multivariate_normal,
    "MultivariateNormalDiagWithSoftplusScale": _multivariate_normal,
    "MultivariateNormalFullCovariance": _multivariate_normal,
    "MultivariateNormalTriL": _multivariate_normal,
    "NegativeBinomial": _negative_binomial,
    "OneHotCategorical": _one_hot,
    "Poisson": _poisson,
    "QuantizedDistribution": _quantized,
    "RelaxedBernoulli": _relaxed_bernoulli,
    "RelaxedOneHotCategorical": _relaxed_one_hot,
}
"""By TF1's name of a distribution: a function of it, the number of samples and the seed."""
