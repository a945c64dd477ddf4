# ruff: noqa: B905, RUF005, UP031 - Python 2.7 reads this as well
"""Distributions, their statistics and divergences, in the spelling of TF 1.x and of TF 0.12.

    python distributions_of_tf1.py OUTPUT.npz

Runs under a genuine TensorFlow 0.12, 1.4 or 1.15 (the old spelling under 0.12, the new one under
1.x), and through the shim, which takes both.
"""

import sys

import numpy as np
import tensorflow as tf

ds = tf.contrib.distributions
OLD = hasattr(tf, "pack")  # the shim has both spellings
NEW = not tf.__version__.startswith("0")

A = np.float32([0.5, 1.5, 3.0])
B = np.float32([2.0, 0.7, 1.1])
LOGITS = np.float32([-1.0, 0.3, 2.0])
PROBS = np.float32([0.2, 0.5, 0.9])
FETCHES = {}


def statistics(name, distribution, values, methods, old=False):
    """Compute the log probability of values, and the methods of a distribution."""
    values = np.asarray(values, np.int32 if name == "Categorical" else np.float32)
    fetches = {"log_prob": distribution.log_prob(values), "prob": distribution.prob(values)}
    if old:
        pmf = "pmf" in methods
        fetches["log_old"] = (distribution.log_pmf if pmf else distribution.log_pdf)(values)
        fetches["old"] = (distribution.pmf if pmf else distribution.pdf)(values)
    for method in methods:
        if method in ("cdf", "log_cdf"):
            fetches[method] = getattr(distribution, method)(values)
        elif method != "pmf":
            fetches[method] = getattr(distribution, method)()
    if not old:
        fetches["batch_shape"] = distribution.batch_shape_tensor()
        fetches["event_shape"] = distribution.event_shape_tensor()
    elif name != "StudentT":  # whose event_shape TF 0.12 fails to give
        fetches["batch_shape"] = distribution.batch_shape()
        fetches["event_shape"] = distribution.event_shape()
    if name not in ("Binomial", "Poisson"):  # TF1 could not draw from these, or not always
        sample = distribution.sample_n(4, seed=1) if old else distribution.sample(4, seed=1)
        fetches["sample_shape"] = tf.shape(sample)
    for key, fetch in fetches.items():
        FETCHES["/".join(["old" if old else "new", name, key])] = fetch


def divergence(name, a, b, old=False):
    try:
        kl = ds.kl(a, b) if old else ds.kl_divergence(a, b)
    except NotImplementedError:  # TF 1.4 has none for Dirichlet yet
        return
    FETCHES["/".join(["old" if old else "new", "kl", name])] = kl


def new_spelling():
    moments = ["mean", "variance", "stddev", "entropy"]
    normal = ds.Normal(loc=A, scale=B)
    statistics("Normal", normal, A + 0.3, moments + ["mode", "cdf", "log_cdf"])
    statistics("Bernoulli", ds.Bernoulli(logits=LOGITS), [0, 1, 1], moments + ["mode"])
    statistics("Bernoulli_probs", ds.Bernoulli(probs=PROBS), [0, 1, 0], moments)
    statistics("Uniform", ds.Uniform(low=A, high=A + B), A + 0.5, moments + ["cdf"])
    statistics("Categorical", ds.Categorical(logits=LOGITS), [0, 2], ["entropy", "mode"])
    statistics("Gamma", ds.Gamma(concentration=A + 1, rate=B), A, moments + ["mode", "cdf"])
    statistics("Beta", ds.Beta(A + 1, B + 1), PROBS, moments + ["mode", "cdf"])
    statistics("Exponential", ds.Exponential(rate=B), A, moments + ["cdf"])
    statistics("Laplace", ds.Laplace(A, B), A + 0.4, moments + ["mode", "cdf"])
    statistics("StudentT", ds.StudentT(A + 3, A, B), A - 0.4, moments + ["mode"])
    statistics("Dirichlet", ds.Dirichlet(A + 1), [0.2, 0.5, 0.3], ["mean", "variance", "entropy"])
    statistics("Multinomial", ds.Multinomial(4.0, logits=LOGITS), [1, 1, 2], ["mean"])
    statistics("DirichletMultinomial", ds.DirichletMultinomial(4.0, A), [1, 1, 2], ["mean"])
    statistics("NormalWithSoftplusScale", ds.NormalWithSoftplusScale(A, LOGITS), A + 1, moments)
    diagonal = ds.MultivariateNormalDiag(loc=A, scale_diag=B)
    statistics("MultivariateNormalDiag", diagonal, A + 0.5, moments + ["mode"])
    multiplied = ds.MultivariateNormalDiag(A, B, scale_identity_multiplier=0.5)
    statistics("MultivariateNormalDiag_multiplied", multiplied, A + 0.5, moments)
    tril = np.float32([[1, 0, 0], [0.5, 2, 0], [-0.3, 0.1, 0.7]])
    triangular = ds.MultivariateNormalTriL(A, tril)
    statistics("MultivariateNormalTriL", triangular, A + 0.5, moments)
    full = ds.MultivariateNormalFullCovariance(A, tril.dot(tril.T))
    statistics("MultivariateNormalFullCovariance", full, A - 0.5, moments)
    statistics("Independent", ds.Independent(normal, 1), A + 0.3, ["mean", "entropy"])
    statistics("Logistic", ds.Logistic(A, B), A + 0.3, ["mean", "entropy", "cdf"])
    statistics("Poisson", ds.Poisson(rate=B), [1, 0, 2], ["mean", "variance"])
    statistics("Binomial", ds.Binomial(4.0, probs=PROBS), [1, 0, 2], ["mean", "variance"])
    statistics("Geometric", ds.Geometric(probs=PROBS), [1, 0, 2], ["mean", "variance"])
    statistics("NegativeBinomial", ds.NegativeBinomial(3.0, logits=LOGITS), [1, 0, 2], ["mean"])
    statistics("InverseGamma", ds.InverseGamma(A + 2, B), A + 0.1, ["mean", "variance", "mode"])
    statistics("Chi2", ds.Chi2(A + 1), A + 0.1, ["mean", "variance"])
    statistics("Deterministic", ds.Deterministic(A), A, ["mean", "variance"])
    statistics("OneHotCategorical", ds.OneHotCategorical(LOGITS), [0, 1, 0], ["entropy", "mode"])
    statistics(
        "RelaxedOneHotCategorical", ds.RelaxedOneHotCategorical(0.5, LOGITS), [0.2, 0.5, 0.3], []
    )
    statistics("RelaxedBernoulli", ds.RelaxedBernoulli(0.5, LOGITS), PROBS, [])
    mixture = ds.Mixture(
        cat=ds.Categorical(probs=[0.3, 0.7]), components=[ds.Normal(0.0, 1.0), ds.Normal(2.0, 0.5)]
    )
    statistics("Mixture", mixture, [0.0, 1.0], ["mean"])
    family = ds.MixtureSameFamily(ds.Categorical(probs=PROBS / PROBS.sum()), normal)
    statistics("MixtureSameFamily", family, [0.0, 1.0], ["mean"])
    exponential = ds.TransformedDistribution(normal, ds.bijectors.Exp())
    statistics("TransformedDistribution", exponential, A + 0.1, [])
    divergence("Normal", normal, ds.Normal(B, A))
    divergence("Bernoulli", ds.Bernoulli(LOGITS), ds.Bernoulli(probs=PROBS))
    divergence("Categorical", ds.Categorical(LOGITS), ds.Categorical(LOGITS[::-1].copy()))
    divergence("Gamma", ds.Gamma(A + 1, B), ds.Gamma(B, A))
    divergence("Beta", ds.Beta(A + 1, B), ds.Beta(B, A))
    divergence("Dirichlet", ds.Dirichlet(A + 1), ds.Dirichlet(B))
    divergence("MultivariateNormalDiag", diagonal, ds.MultivariateNormalDiag(B, A))
    divergence("MultivariateNormalTriL", triangular, diagonal)


def old_spelling():
    moments = ["mean", "variance", "std", "entropy"]
    statistics("Normal", ds.Normal(mu=A, sigma=B), A + 0.3, moments + ["cdf"], old=True)
    softplus = ds.NormalWithSoftplusSigma(mu=A, sigma=LOGITS)
    statistics("NormalWithSoftplusSigma", softplus, A + 1, moments, old=True)
    statistics("Bernoulli", ds.Bernoulli(p=PROBS), [0, 1, 0], ["mean", "std", "pmf"], old=True)
    statistics("Bernoulli_logits", ds.Bernoulli(LOGITS), [0, 1, 0], ["entropy", "pmf"], old=True)
    sigmoid = ds.BernoulliWithSigmoidP(p=LOGITS)
    statistics("BernoulliWithSigmoidP", sigmoid, [0, 1, 1], ["mean", "pmf"], old=True)
    statistics("Uniform", ds.Uniform(a=A, b=A + B), A + 0.5, moments, old=True)
    statistics("Categorical", ds.Categorical(LOGITS), [0, 2], ["entropy", "pmf"], old=True)
    statistics("Gamma", ds.Gamma(alpha=A + 1, beta=B), A, moments, old=True)
    statistics("Beta", ds.Beta(a=A + 1, b=B + 1), PROBS, moments, old=True)
    statistics("Exponential", ds.Exponential(lam=B), A, moments, old=True)
    statistics("Laplace", ds.Laplace(loc=A, scale=B), A + 0.4, moments, old=True)
    statistics("StudentT", ds.StudentT(df=A + 3, mu=A, sigma=B), A - 0.4, moments, old=True)
    statistics("Dirichlet", ds.Dirichlet(alpha=A + 1), [0.2, 0.5, 0.3], ["mean"], old=True)
    diagonal = ds.MultivariateNormalDiag(mu=A, diag_stdev=B)
    statistics("MultivariateNormalDiag", diagonal, A + 0.5, ["mean", "entropy"], old=True)
    tril = np.float32([[1, 0, 0], [0.5, 2, 0], [-0.3, 0.1, 0.7]])
    cholesky = ds.MultivariateNormalCholesky(mu=A, chol=tril)
    statistics("MultivariateNormalCholesky", cholesky, A + 0.5, ["mean", "entropy"], old=True)
    full = ds.MultivariateNormalFull(mu=A, sigma=tril.dot(tril.T))
    statistics("MultivariateNormalFull", full, A - 0.5, ["mean", "entropy"], old=True)
    statistics("InverseGamma", ds.InverseGamma(alpha=A + 3, beta=B), A, ["mean"], old=True)
    statistics("Poisson", ds.Poisson(lam=B), [1, 0, 2], ["mean", "pmf"], old=True)
    statistics("Binomial", ds.Binomial(n=4.0, p=PROBS), [1, 0, 2], ["mean", "pmf"], old=True)
    divergence("Normal", ds.Normal(mu=A, sigma=B), ds.Normal(mu=B, sigma=A), old=True)
    divergence("Bernoulli", ds.Bernoulli(LOGITS), ds.Bernoulli(p=PROBS), old=True)
    divergence("MultivariateNormalDiag", diagonal, ds.MultivariateNormalDiag(B, A), old=True)


if NEW:
    new_spelling()
if OLD:
    old_spelling()
KEYS = sorted(FETCHES)
with tf.Session() as session:
    ARRAYS = session.run([FETCHES[key] for key in KEYS])
np.savez_compressed(
    sys.argv[1],
    keys=np.array(["%s %s" % (key, list(np.shape(a))) for key, a in zip(KEYS, ARRAYS)]),
    values=np.concatenate([np.asarray(a, np.float64).ravel() for a in ARRAYS]),
)
