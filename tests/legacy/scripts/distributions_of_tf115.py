"""Distributions of TF 1.15 beyond the first twelve: seeded samples, parameters, moments, shapes.

    python distributions_of_tf115.py OUTPUT.npz

Runs under a genuine TensorFlow 1.15 and through the shim.
"""

import sys

import numpy as np
import tensorflow as tf

ds = tf.contrib.distributions
tfb = ds.bijectors
LOC, SCALE = np.float32([[0.5, -1.0, 0.2]]), np.float32([[0.3, 1.2, 2.5], [1.0, 0.4, 0.8]])
LOGITS, PROBS = np.float32([[-1.0, 0.3, 0.8]]), np.float32([[0.2, 0.5, 0.3]])
TRIL = np.float32([[1.2, 0.0], [-0.5, 0.7]])
SYMMETRIC = TRIL.dot(TRIL.T)
TWO = np.float32([0.4, -1.2])
FETCHES = {}


def note(name, distribution, methods="", values=None, seeded=True, attributes=""):
    def fetch(key, value):
        FETCHES["/".join([name, key])] = tf.convert_to_tensor(value)

    for method in methods.split():
        fetch(method, getattr(distribution, method)())
    for attribute in attributes.split():
        fetch(attribute, getattr(distribution, attribute))
    fetch("batch_shape", distribution.batch_shape_tensor())
    fetch("event_shape", distribution.event_shape_tensor())
    if seeded:
        fetch("sample", distribution.sample([2, 2], seed=7))
    if values is not None:
        values = tf.constant(values, distribution.dtype)
        fetch("log_prob", distribution.log_prob(values))
        fetch("prob", distribution.prob(values))


MOMENTS = "mean variance stddev"
SHAPES = "batch_shape_tensor"
note("cauchy", ds.Cauchy(LOC, SCALE), "entropy mode", LOC)
note("chi2", ds.Chi2([2.5, 4.0]), MOMENTS, [1.0, 3.0])
note("chi2_abs", ds.Chi2WithAbsDf([-2.5, 4.0]), MOMENTS, [1.0, 3.0])
note("half_normal", ds.HalfNormal(SCALE), MOMENTS + " entropy", SCALE)
note("inverse_gamma", ds.InverseGamma([3.5, 4.0], [1.0, 2.0]), MOMENTS + " entropy mode", [1.0, 0.3],
     attributes="concentration rate")  # fmt: skip
note("inverse_gamma_softplus", ds.InverseGammaWithSoftplusConcentrationRate([3.5], [1.0]), MOMENTS)
note("kumaraswamy", ds.Kumaraswamy([2.0, 3.0], [1.5, 0.8]), MOMENTS + " mode", [0.3, 0.6])  # its entropy is wrong in TF 1.15
note("geometric_probs", ds.Geometric(probs=PROBS), MOMENTS + " entropy", [[0.0, 1.0, 3.0]],
     attributes="probs logits")  # fmt: skip
note("geometric_logits", ds.Geometric(logits=LOGITS), attributes="probs logits")
note("binomial", ds.Binomial(5.0, probs=PROBS), MOMENTS + " mode", [[0.0, 1.0, 3.0]], seeded=False,
     attributes="probs logits total_count")  # fmt: skip
note("binomial_logits", ds.Binomial(5.0, logits=LOGITS), seeded=False, attributes="probs logits")
note("negative_binomial", ds.NegativeBinomial(5.0, probs=PROBS), MOMENTS + " mode",
     [[0.0, 1.0, 3.0]], attributes="probs logits")  # fmt: skip
note("poisson", ds.Poisson(rate=SCALE), MOMENTS + " mode", np.ones((2, 3)), attributes="log_rate")
note("poisson_log", ds.Poisson(log_rate=LOC), MOMENTS, np.ones((1, 3)), attributes="rate")
note("one_hot", ds.OneHotCategorical(probs=PROBS), "mode entropy", [[0, 0, 1]],
     attributes="probs logits event_size")  # fmt: skip
note("one_hot_logits", ds.OneHotCategorical(logits=LOGITS), attributes="probs logits")
note("relaxed_bernoulli", ds.RelaxedBernoulli(0.4, probs=PROBS), values=[[0.2, 0.7, 0.5]],
     attributes="probs logits temperature")  # fmt: skip
note("relaxed_bernoulli_logits", ds.RelaxedBernoulli(0.4, logits=LOGITS), attributes="probs logits")
note("relaxed_one_hot", ds.RelaxedOneHotCategorical(0.4, probs=PROBS), values=[[0.2, 0.7, 0.1]],
 )  # fmt: skip
note("exp_relaxed", ds.ExpRelaxedOneHotCategorical(0.4, probs=PROBS),
     values=np.log([[0.2, 0.7, 0.1]]), attributes="probs logits")  # fmt: skip
note("exp_relaxed_logits", ds.ExpRelaxedOneHotCategorical(0.9, logits=np.tile(LOGITS, [2, 1])),
     attributes="probs logits")  # fmt: skip
note("logistic", ds.Logistic(LOC, SCALE), MOMENTS + " entropy mode", LOC)
parts = [ds.Normal(LOC[0], SCALE[0]), ds.Normal(LOC[0] + 1, SCALE[1])]
weights = np.float32([[0.3, 0.7], [0.5, 0.5], [0.9, 0.1]])
note("mixture", ds.Mixture(ds.Categorical(probs=weights), parts), MOMENTS, LOC[0])
note(
    "mixture_static",
    ds.Mixture(ds.Categorical(probs=weights), parts, use_static_graph=True),
    MOMENTS,
)
note("mixture_entropy", parts[0])
FETCHES["mixture/bound"] = ds.Mixture(ds.Categorical(probs=weights), parts).entropy_lower_bound()
FETCHES["mixture/cat"] = ds.Mixture(ds.Categorical(probs=weights), parts).cat.logits
vectors = [ds.MultivariateNormalDiag(TWO, [1.0, 2.0]), ds.MultivariateNormalTriL(-TWO, TRIL)]
note("mixture_of_vectors", ds.Mixture(ds.Categorical(logits=TWO), vectors), "mean", TWO)
family = ds.MixtureSameFamily(ds.Categorical(probs=weights[0]), ds.Normal([0.0, 2.0], [1.0, 0.5]))
note("mixture_same_family", family, MOMENTS, [0.3], seeded=False)
note("independent", ds.Independent(ds.Normal(LOC, SCALE), 1), MOMENTS + " entropy mode", LOC)
note("batch_reshape", ds.BatchReshape(ds.Normal(LOC[0], SCALE[0]), [3, 1]), MOMENTS, np.ones((3, 1)),
     seeded=False)  # fmt: skip
mvn = ds.MultivariateNormalDiag
note("mvn_of_batch", mvn(np.zeros((2, 3), np.float32), np.ones(3, np.float32)),
     MOMENTS + " covariance entropy mode", LOC)  # fmt: skip
note("mvn_scale_of_batch", mvn(LOC[0], SCALE), MOMENTS + " covariance entropy", LOC)
note("mvn_multiplied", mvn(LOC[0], SCALE, 0.5), MOMENTS, LOC)
note("mvn_softplus", ds.MultivariateNormalDiagWithSoftplusScale(LOC[0], SCALE), MOMENTS, LOC)
note("mvn_tril", ds.MultivariateNormalTriL(np.zeros((3, 2), np.float32), TRIL),
     MOMENTS + " covariance entropy", TWO)  # fmt: skip
note("mvn_full", ds.MultivariateNormalFullCovariance(TWO, SYMMETRIC), MOMENTS + " covariance", TWO)
note("mvn_low_rank", ds.MultivariateNormalDiagPlusLowRank(
    TWO, [1.0, 2.0], scale_perturb_factor=[[0.5], [0.2]]), MOMENTS + " covariance", TWO)  # fmt: skip
quantized = ds.QuantizedDistribution(ds.Normal(LOC[0], SCALE[0] * 2), low=-2.0, high=3.0)
note("quantized", quantized, values=[-1.0, 0.0, 1.0])
FETCHES["quantized/outside"] = quantized.prob([-7.0, 9.0, 4.0])
FETCHES["quantized/cdf"] = quantized.cdf([-7.0, 9.0, 1.5])
note("sinh_arcsinh", ds.SinhArcsinh(LOC, SCALE, 0.3, 0.5), values=LOC + 0.1)
note("vector_laplace", ds.VectorLaplaceDiag(LOC, SCALE), MOMENTS + " covariance mode", LOC + 0.1)
note("vector_exponential", ds.VectorExponentialDiag(LOC, SCALE), MOMENTS + " covariance", LOC + 3)
note("wishart_cholesky", ds.WishartCholesky(4.0, TRIL), "mean variance mode entropy mean_log_det",
     SYMMETRIC, seeded=False)  # fmt: skip
note("wishart_full", ds.WishartFull(4.0, SYMMETRIC), "mean variance entropy", SYMMETRIC, seeded=False)
note("log_normal", ds.TransformedDistribution(ds.Normal(LOC, SCALE), tfb.Exp()), values=SCALE)
note("of_shape", ds.TransformedDistribution(
    ds.Normal(0.0, 1.0), tfb.Affine(TWO, scale_tril=TRIL), batch_shape=[2], event_shape=[2]),
    "entropy", TRIL)  # fmt: skip
note("of_event", ds.TransformedDistribution(
    ds.Normal(TWO, [1.0, 2.0]), tfb.AffineScalar(1.0, 2.0), event_shape=[3]),
    "entropy", LOC)  # fmt: skip
note("of_event_exp", ds.TransformedDistribution(ds.Normal(TWO, 1.0), tfb.Exp(), event_shape=[3]),
     values=SCALE)  # fmt: skip
note("folded", ds.TransformedDistribution(ds.Normal(LOC, SCALE), tfb.AbsoluteValue()), values=SCALE)
logistic = ds.TransformedDistribution(ds.Logistic(LOC, SCALE), tfb.Sigmoid())
note("logistic_normal", logistic, values=PROBS)
FETCHES["logistic_normal/cdf"] = logistic.cdf(PROBS)
normal = ds.TransformedDistribution(ds.Normal(LOC, SCALE), tfb.Sigmoid())
FETCHES["quantile"] = normal.quantile(PROBS)
once = tfb.Inline(forward_fn=tf.exp, forward_log_det_jacobian_fn=lambda x: x, inverse_fn=None,
                  forward_min_event_ndims=0)  # fmt: skip
forward_only = ds.TransformedDistribution(ds.Normal(LOC, SCALE), once)
FETCHES["forward_only/log_prob"] = forward_only.log_prob(forward_only.sample(2, seed=3))
for cls in (ds.Cauchy, ds.Chi2, ds.HalfNormal, ds.InverseGamma, ds.Logistic, ds.RelaxedBernoulli):
    for key, shape in cls.param_static_shapes([2, 3]).items():
        FETCHES["param_shapes/{}/{}".format(cls.__name__, key)] = tf.constant(shape.as_list())
posterior = ds.normal_conjugates_known_scale_posterior(ds.Normal(0.5, 2.0), tf.constant(1.5), tf.constant(7.0), 4)
predictive = ds.normal_conjugates_known_scale_predictive(ds.Normal(0.5, 2.0), tf.constant(1.5), tf.constant(7.0), 4)
FETCHES["conjugate"] = tf.stack([posterior.mean(), posterior.stddev(), predictive.stddev()])
FETCHES["matrix_diag_transform"] = ds.matrix_diag_transform(TRIL, tf.exp)
FETCHES["kl_mvn"] = ds.kl_divergence(vectors[0], vectors[1])

with tf.Session() as session:
    values = session.run(FETCHES)
np.savez_compressed(sys.argv[1], **values)
