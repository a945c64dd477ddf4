"""log p(x) by importance sampling: against an integral, a second implementation, and itself."""

import sys
import warnings

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, logsumexp, ndtri
from scipy.stats import norm
from support.kinds import full_except

from vae_tf1 import Gaussian, VariationalAutoencoder
from vae_tf1.inference.marginal import ImportanceSampler, _Blocks, _WeightSums
from vae_tf1.model import noise

D, M = 12, 2


@pytest.fixture(scope="module")
def X():
    return images(60)


def images(n):
    rng = np.random.default_rng(0)
    W = rng.standard_normal((M, D))
    return (rng.random((n, D)) < expit(2 * rng.standard_normal((n, M)) @ W)).astype(np.float32)


def trained(prior):
    """Return a model whose posterior is near the true one, but is not it."""
    vae = VariationalAutoencoder(D, [7, M], seed=3, prior=prior)
    vae.fit(images(600), epochs=60, batch_sz=20, progress=False, plot=False, compile=False)
    return vae


@pytest.fixture(scope="module")
def vae():
    with trained(None) as vae:
        yield vae


@pytest.fixture(
    scope="module", params=full_except(["standard normal", "another normal"], "standard normal")
)
def each_vae(request, vae):
    if request.param == "standard normal":
        yield vae
    else:
        with trained(Gaussian(0.5, 2.0)) as other:
            yield other


def in_blocks_of(vae, codes, **options):
    """Return a sampler of `vae` that runs so many codes at a time."""
    return ImportanceSampler(vae, block_bytes=codes * 4 * D, **options)


class Reference:
    """The model in float64 NumPy, from its weights alone."""

    def __init__(self, vae):
        layers = [
            [
                tuple(np.float64(value) for value in vae.sess.run((layer.W, layer.b)))
                for layer in each
            ]
            for each in (vae.encoder_layers, vae.decoder_layers)
        ]
        self.encoder, self.decoder = layers
        self.prior = norm(0, 1)
        if vae.prior is not None:
            self.prior = norm(vae.prior.prior_mean, np.sqrt(vae.prior.prior_variance))

    def posterior(self, X):
        means, unbounded = np.split(self.through(X, self.encoder), 2, axis=-1)
        return means, np.log1p(np.exp(unbounded)) + 1e-6

    def log_likelihood(self, X, Z):
        logits = self.through(Z, self.decoder)
        return (X * logits - np.logaddexp(0, logits)).sum(-1)

    def log_weights(self, X, epsilon):
        means, stddev = (part[:, np.newaxis] for part in self.posterior(X))
        Z = means + stddev * epsilon
        log_ratio = self.prior.logpdf(Z) - norm(means, stddev).logpdf(Z)
        return self.log_likelihood(X[:, np.newaxis], Z) + log_ratio.sum(-1)

    def integral(self, X):
        """Integrate p(x|z) p(z) over a grid of the two coordinates of z; q plays no part."""
        axis = np.linspace(-9, 9, 361)
        Z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, M)
        log_volume = 2 * np.log(axis[1] - axis[0])
        logits = self.through(Z, self.decoder)
        log_joint = X @ logits.T - np.logaddexp(0, logits).sum(-1) + self.prior.logpdf(Z).sum(-1)
        return logsumexp(log_joint, 1) + log_volume

    @staticmethod
    def through(values, layers):
        *hidden, (W, b) = layers
        for V, c in hidden:
            values = np.maximum(values @ V + c, 0)
        return values @ W + b


def noise_of(vae, n_rows, K):
    """Return the noise that is documented: a function of (seed, row, sample, K)."""
    with vae.graph.as_default():
        key = noise.key(vae.seed, noise.Stream.EPSILON)
        uniform = noise.uniform(key, tf.constant(0, tf.int64), noise.LIKELIHOOD, (n_rows * K, 1, M))
        uniform = vae.sess.run(uniform).astype(np.float64)
    return ndtri(uniform + 2.0**-24).reshape(n_rows, K, M)


# The number ---------------------------------------------------------------------------------------


def test_it_is_the_integral_over_a_grid_of_codes(each_vae, X):
    expected = Reference(each_vae).integral(X)
    values, errors, _ = each_vae.log_likelihood(X, 4000, return_details=True, progress=False)
    assert np.all(np.abs(values - expected) < 4 * errors)
    assert np.mean(errors) < 0.05  # so that the line above is no empty claim
    assert abs(np.mean(values - expected)) < 0.01


def test_more_samples_are_a_tighter_bound(each_vae, X):
    copies = np.repeat(X, 100, axis=0)
    elbo = each_vae.evaluate(copies).elbo
    one, five, fifty = (
        each_vae.log_likelihood(copies, K, progress=False).mean() for K in (1, 5, 50)
    )
    assert elbo == pytest.approx(one, abs=0.1)
    assert one + 0.05 < five < fifty < Reference(each_vae).integral(X).mean() + 0.005


def test_it_is_what_numpy_computes_in_float64(each_vae, X):
    K = 1000
    log_weights = Reference(each_vae).log_weights(X, noise_of(each_vae, len(X), K))
    values, errors, sizes = each_vae.log_likelihood(X, K, return_details=True, progress=False)
    np.testing.assert_allclose(values, logsumexp(log_weights, 1) - np.log(K), rtol=0, atol=1e-4)

    weights = np.exp(log_weights - log_weights.max(1, keepdims=True))
    np.testing.assert_allclose(
        errors, weights.std(1, ddof=1) / np.sqrt(K) / weights.mean(1), rtol=1e-3
    )
    np.testing.assert_allclose(sizes, weights.sum(1) ** 2 / np.square(weights).sum(1), rtol=1e-3)


def test_the_standard_error_is_the_spread_of_independent_estimates(vae, X):
    copies = np.repeat(X[:3], 400, axis=0)
    values, errors, _ = (
        of.reshape(3, 400) for of in vae.log_likelihood(copies, 500, True, progress=False)
    )
    np.testing.assert_allclose(values.std(1), errors.mean(1), rtol=0.25)


def test_the_parts_of_a_weight_are_public(each_vae, X):
    Z = np.random.default_rng(1).standard_normal((len(X), M)).astype(np.float32)
    reference = Reference(each_vae)
    with each_vae.graph.as_default():
        log_likelihood = each_vae.likelihood.log_prob(X, each_vae.decode(Z))
        log_prior = each_vae.prior_distribution.log_prob(tf.constant(Z))
        codes = each_vae.prior_distribution.sample(5000)
    log_likelihood, log_prior, codes = each_vae.sess.run((log_likelihood, log_prior, codes))
    np.testing.assert_allclose(log_likelihood, reference.log_likelihood(X, Z), rtol=1e-4)
    np.testing.assert_allclose(log_prior, reference.prior.logpdf(Z).sum(1), rtol=1e-5)
    np.testing.assert_allclose(codes.mean(0), reference.prior.mean(), atol=0.1)
    np.testing.assert_allclose(codes.std(0), reference.prior.std(), rtol=0.05)


# The same number ----------------------------------------------------------------------------------


def test_it_can_be_repeated_whatever_else_was_drawn(vae, X):
    first = vae.log_likelihood(X, 7, progress=False)
    vae.posterior_predictive_sample(X)
    np.testing.assert_array_equal(vae.log_likelihood(X, 7, progress=False), first)
    assert np.any(vae.log_likelihood(X[::-1], 7, progress=False) != first[::-1])


@pytest.mark.parametrize("codes", full_except([1, 3, 10, 25, 10_000], 3, 10_000))
def test_it_is_the_same_whatever_the_blocks(vae, X, codes):
    rows = vae_rows(X[:7])
    expected = in_blocks_of(vae, 100, worth_compiling=10**6).estimate(rows, 10)
    result = in_blocks_of(vae, codes, worth_compiling=10**6).estimate(rows, 10)
    for value, wanted in zip(result, expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-4)


def vae_rows(X):
    from vae_tf1.data.rows import as_rows

    return as_rows(X, D)


@pytest.mark.parametrize(
    ("n_rows", "n_samples", "most"), [(7, 3, 10), (2, 25, 10), (1, 1, 1), (3, 10, 10), (5, 11, 10)]
)
def test_blocks_hold_every_code_once_and_are_bounded(n_rows, n_samples, most):
    blocks = list(_Blocks(n_rows, n_samples, most))
    codes = [
        (row, sample)
        for block in blocks
        for row in range(block.row, block.row + block.n_rows)
        for sample in range(block.sample, block.sample + block.n_samples)
    ]
    assert codes == [(row, sample) for row in range(n_rows) for sample in range(n_samples)]
    assert max(block.n_rows * block.n_samples for block in blocks) <= most


@pytest.mark.repeats
@pytest.mark.parametrize("codes", [10, 25])
def test_compiled_it_is_the_same(vae, X, codes):
    rows = vae_rows(X)
    compiled = in_blocks_of(vae, codes, worth_compiling=2).estimate(rows, 20)
    expected = in_blocks_of(vae, codes, worth_compiling=10**6).estimate(rows, 20)
    for value, wanted in zip(compiled, expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-4)


def test_where_xla_is_unavailable_it_goes_on_and_says_so(vae, X, monkeypatch):
    def unavailable(self, rows, shape, compiled):
        if compiled:
            raise tf.errors.UnimplementedError(None, None, "no JIT on this machine")
        return build(self, rows, shape, compiled)

    build = ImportanceSampler._build
    monkeypatch.setattr(ImportanceSampler, "_build", unavailable)
    sampler = in_blocks_of(vae, 10, worth_compiling=2)
    with pytest.warns(RuntimeWarning, match="no JIT on this machine"):
        first = sampler.estimate(vae_rows(X), 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(sampler.estimate(vae_rows(X), 10).values, first.values)


# Weights of any size ------------------------------------------------------------------------------


def test_weights_neither_overflow_nor_vanish():
    log_weights = np.array([[-1e5, -1e5 + 1], [1e5, -1e5], [-np.inf, 3.0], [-np.inf, -np.inf]])
    sums = _WeightSums(4)
    for column in range(2):
        sums.add(slice(0, 4), log_weights[:, [column]])
    values, errors, sizes = sums.estimate(2)
    expected = [-1e5 + np.log((1 + np.e) / 2), 1e5 - np.log(2), 3 - np.log(2), -np.inf]
    np.testing.assert_allclose(values, expected)
    np.testing.assert_allclose(sizes, [(1 + np.e) ** 2 / (1 + np.e**2), 1, 1, np.nan])
    assert errors[1] == pytest.approx(1)


def test_a_single_sample_has_no_standard_error(vae, X):
    _, errors, sizes = vae.log_likelihood(X, 1, return_details=True, progress=False)
    assert np.all(np.isnan(errors))
    assert np.all(sizes == 1)


# The door -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones((3, D)), 0), ValueError, "n_samples must be at least 1, not 0"),
        ((np.ones((3, D)), 2.5), TypeError, r"n_samples must be an integer, not 2\.5"),
        ((np.ones((3, D + 1)), 5), ValueError, "rows of 13 values, but the model takes 12"),
        ((np.full((3, D), np.nan), 5), ValueError, "NaN"),
    ],
)
def test_what_it_cannot_use_is_refused_in_one_sentence(vae, arguments, error, message):
    with pytest.raises(error, match=message):
        vae.log_likelihood(*arguments)


def test_a_terminal_shows_a_bar_and_nothing_else_does(vae, X, capsys, monkeypatch):
    vae.log_likelihood(X, 3)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    vae.log_likelihood(X, 3, progress=False)
    assert capsys.readouterr() == ("", "")
    vae.log_likelihood(X, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{len(X)}/{len(X)}" in err
