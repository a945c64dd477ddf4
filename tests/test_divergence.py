"""KL divergences against the golden notebook, SciPy, quadrature and samples."""

import tracemalloc

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp
from hypothesis import given, settings
from hypothesis import strategies as st
from support.prob_modes import TOLERANCE, both_modes, both_types

from vae_tf1 import VariationalAutoencoder, kl_divergence_gaussians, log_density_ratio_gaussians
from vae_tf1.backend.notices import without_deprecation_notices
from vae_tf1.divergence import MonteCarloKL, monte_carlo_kl

TWO_GAUSSIANS = ("kl_q_mu", "kl_q_sigma", "kl_p_mu", "kl_p_sigma")


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "probability.npz") as file:
        return dict(file)


class FromNumPy:
    """A distribution of one's own: whatever `draw` draws, whose log density is `log_density`."""

    def __init__(self, draw=None, log_density=lambda z: 0.0 * z):
        self.draw, self.log_density = draw, log_density

    def sample(self, n):
        return self.draw(n)

    def log_prob(self, z):
        return self.log_density(z)


# Closed form


def test_closed_form_is_the_notebooks_number(golden):
    kl = kl_divergence_gaussians(*(golden[key] for key in TWO_GAUSSIANS))
    assert kl == golden["kl_closed_form"]
    assert f"{kl:.7f}" == "2.5925815"


def test_it_is_what_tensorflow_has_registered(golden):
    q_mu, q_sigma, p_mu, p_sigma = (golden[key] for key in TWO_GAUSSIANS)
    with (
        without_deprecation_notices(),
        tf.Graph().as_default(),
        tf.compat.v1.Session() as sess,
    ):
        normal = tf.compat.v1.distributions.Normal
        registered = tf.compat.v1.distributions.kl_divergence(
            normal(q_mu, q_sigma), normal(p_mu, p_sigma)
        )
        registered = sess.run(tf.reduce_sum(registered, axis=-1))
    assert f"{registered:.7f}" == "2.5925813"
    np.testing.assert_allclose(
        registered, kl_divergence_gaussians(q_mu, q_sigma, p_mu, p_sigma), rtol=2e-7
    )


@both_modes
@both_types
def test_closed_form_on_tensors_agrees_with_numpy(run, dtype):
    rng = np.random.default_rng(0)
    q_mu, p_mu = rng.normal(size=(2, 50, 4))
    q_sigma, p_sigma = np.exp(rng.normal(size=(2, 50, 4)))
    parameters = [x.astype(dtype) for x in (q_mu, q_sigma, p_mu, p_sigma)]
    kl = run(kl_divergence_gaussians, *parameters)
    assert kl.dtype == dtype
    exact = np.sum(
        np.log(p_sigma / q_sigma) + (q_sigma**2 + (q_mu - p_mu) ** 2) / (2 * p_sigma**2) - 0.5,
        axis=-1,
    )
    np.testing.assert_allclose(kl, exact, rtol=20 * TOLERANCE[dtype])
    np.testing.assert_allclose(
        kl_divergence_gaussians(*parameters), exact, rtol=20 * TOLERANCE[dtype]
    )


def test_closed_form_is_the_integral_that_defines_it():
    q, p = scipy.stats.norm(0.3, 0.7), scipy.stats.norm(-1.0, 1.9)
    integral, _ = scipy.integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -10, 10, epsabs=1e-12
    )
    assert kl_divergence_gaussians(0.3, 0.7, -1.0, 1.9) == pytest.approx(integral, rel=1e-10)


@given(st.floats(-5, 5), st.floats(-12, 12), st.floats(-5, 5), st.floats(-12, 12))
@settings(deadline=None, max_examples=60)
def test_closed_form_is_never_negative_and_zero_for_equals(q_mu, q_log, p_mu, p_log):
    q, p = (
        (np.float32(q_mu), np.float32(np.exp(q_log))),
        (np.float32(p_mu), np.float32(np.exp(p_log))),
    )
    assert kl_divergence_gaussians(*q, *p) >= 0
    assert kl_divergence_gaussians(*q, *q) == 0


@both_types
def test_nearly_equal_gaussians_keep_their_digits(dtype):
    scale = tf.constant([1 + 2.0**-10], dtype)
    kl = kl_divergence_gaussians([0.0], scale, [0.0], [1.0])
    d = 2 * np.log1p(2.0**-10)
    np.testing.assert_allclose(kl, (np.expm1(d) - d) / 2, rtol=1e3 * np.finfo(dtype).eps)


def test_numbers_and_shapes_broadcast():
    mu = np.zeros((5, 1, 3), np.float32)
    kl = kl_divergence_gaussians(mu, 2, np.ones(3, np.float32), np.ones((4, 3), np.float32))
    assert kl.shape == (5, 4)
    assert kl.dtype == np.float32
    np.testing.assert_allclose(kl, 3 * kl_divergence_gaussians(0.0, 2.0, 1.0, 1.0), rtol=1e-6)
    assert kl_divergence_gaussians([0, 0], [1, 1], 0, 1).dtype == np.float64
    assert tf.is_tensor(kl_divergence_gaussians(tf.constant([0.0]), 1, np.zeros(1), 1.0))
    assert kl_divergence_gaussians(tf.constant(0.0), 1.0, 1.0, 1.0).numpy() == 0.5


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (([0.0], [-1.0], [0.0], [1.0]), ValueError, "q_sigma must be positive"),
        (([0.0], [1.0], [0.0], [0.0]), ValueError, "p_sigma must be positive"),
        (([0.0], [float("nan")], [0.0], [1.0]), ValueError, "q_sigma must be positive"),
        (([0, 0], [1, 1, 1], 0, 1), ValueError, "must broadcast: .*q_sigma"),
        (("a", 1, 0, 1), TypeError, "q_mu must be numbers"),
        ((tf.constant([1]), 1, 0, 1), TypeError, "floating-point"),
        (
            (tf.constant([1.0]), tf.constant([1.0], tf.float64), 0, 1),
            TypeError,
            "q_mu float32, q_sigma float64",
        ),
    ],
)
def test_bad_arguments_are_refused(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        kl_divergence_gaussians(*arguments)
    with pytest.raises(error, match=sentence):
        log_density_ratio_gaussians(0.0, *arguments)


# The log density ratio


@both_modes
def test_log_density_ratio_is_the_notebooks(run, golden):
    parameters = [golden[key] for key in TWO_GAUSSIANS]
    on_arrays = log_density_ratio_gaussians(golden["kl_z"], *parameters)
    on_tensors = run(lambda z: log_density_ratio_gaussians(z, *parameters), golden["kl_z"])
    for ratio in (on_arrays, on_tensors):
        assert ratio.dtype == np.float32
        np.testing.assert_allclose(ratio, golden["kl_log_density_ratio"], rtol=1e-6, atol=2e-6)


@both_modes
@both_types
def test_log_density_ratio_is_scipys(run, dtype):
    rng = np.random.default_rng(1)
    z, q_mu, p_mu = rng.normal(size=(3, 20, 3)).astype(dtype)
    q_sigma, p_sigma = np.exp(rng.normal(size=(2, 20, 3))).astype(dtype)
    exact = scipy.stats.norm(np.float64(q_mu), np.float64(q_sigma)).logpdf(np.float64(z))
    exact -= scipy.stats.norm(np.float64(p_mu), np.float64(p_sigma)).logpdf(np.float64(z))
    ratio = run(log_density_ratio_gaussians, z, q_mu, q_sigma, p_mu, p_sigma)
    np.testing.assert_allclose(
        ratio, exact.sum(axis=-1), rtol=20 * TOLERANCE[dtype], atol=20 * TOLERANCE[dtype]
    )


# Monte Carlo


def test_running_mean_and_standard_error_are_those_of_the_samples_so_far():
    samples = np.random.default_rng(0).normal(3.0, 2.0, size=1000)
    stream = iter(np.split(samples, [300, 600, 900]))
    estimate = monte_carlo_kl(
        FromNumPy(lambda n: next(stream), lambda z: z), FromNumPy(), 1000, chunk_size=300
    )
    np.testing.assert_array_equal(estimate.samples, np.arange(1, 1001))
    np.testing.assert_allclose(
        estimate.mean, [samples[:n].mean() for n in range(1, 1001)], rtol=1e-12
    )
    np.testing.assert_allclose(
        estimate.standard_error[1:],
        [scipy.stats.sem(samples[:n]) for n in range(2, 1001)],
        rtol=1e-10,
    )
    assert np.isnan(estimate.standard_error[0])
    assert (estimate.estimate, estimate.error) == (estimate.mean[-1], estimate.standard_error[-1])


def test_chunks_and_recorded_points_change_no_number():
    def estimate(**options):
        rng = np.random.default_rng(0)
        return monte_carlo_kl(FromNumPy(rng.standard_normal, np.exp), FromNumPy(), 5000, **options)

    whole = estimate(chunk_size=5000)
    coarse = estimate(chunk_size=7, points=11)
    np.testing.assert_array_equal(coarse.samples, np.linspace(5000, 1, 11).round()[::-1])
    np.testing.assert_allclose(coarse.mean, whole.mean[coarse.samples - 1], rtol=1e-12)
    np.testing.assert_allclose(
        coarse.standard_error, whole.standard_error[coarse.samples - 1], rtol=1e-10
    )


def test_a_small_spread_on_a_large_offset_keeps_its_digits():
    samples = 1e9 + np.random.default_rng(0).normal(size=20_000)
    stream = iter(np.split(samples, 20))
    estimate = monte_carlo_kl(
        FromNumPy(lambda n: next(stream), lambda z: z), FromNumPy(), 20_000, chunk_size=1000
    )
    assert estimate.error == pytest.approx(scipy.stats.sem(samples - 1e9), rel=1e-6)


def test_memory_does_not_grow_with_the_samples():
    def peak(n_samples):
        rng = np.random.default_rng(0)
        q = FromNumPy(lambda n: rng.standard_normal(n), np.square)
        tracemalloc.start()
        estimate = monte_carlo_kl(q, FromNumPy(), n_samples, chunk_size=4096, points=100)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(estimate.mean) == 100
        return peak

    few, many = peak(50_000), peak(2_000_000)
    assert many < 1.1 * few < 2e6


def test_a_sample_where_p_has_no_density_makes_the_divergence_infinite():
    q, p = scipy.stats.uniform(0, 1), scipy.stats.uniform(0, 0.5)
    np.random.seed(0)  # noqa: NPY002 - SciPy's own state, put back by the fixture below
    estimate = monte_carlo_kl(q, p, 100, chunk_size=10)
    first = np.argmax(np.isinf(estimate.mean))
    assert np.isfinite(estimate.mean[:first]).all()
    assert np.isposinf(estimate.mean[first:]).all()
    assert estimate.error == np.inf


@pytest.fixture(autouse=True)
def _numpy_state():
    state = np.random.get_state()  # noqa: NPY002
    yield
    np.random.set_state(state)  # noqa: NPY002


def normals(library, golden):
    q_mu, q_sigma, p_mu, p_sigma = (golden[key] for key in TWO_GAUSSIANS)
    with without_deprecation_notices():
        return library(q_mu, q_sigma), library(p_mu, p_sigma)


@pytest.mark.parametrize(
    "library", [tfp.distributions.Normal, tf.compat.v1.distributions.Normal], ids=["tfp", "tf"]
)
@pytest.mark.parametrize("mode", ["eager", "graph", "graph with a session"])
def test_tensorflow_distributions_reach_the_closed_form(library, mode, golden):
    def estimate(**options):
        return monte_carlo_kl(
            *normals(library, golden), 20_001, chunk_size=5000, points=1, seed=7, **options
        )

    if mode == "eager":
        first, second = estimate(), estimate()
    else:
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            first = estimate(**({"sess": sess} if "session" in mode else {}))
        with tf.Graph().as_default():
            second = estimate()
    assert isinstance(first, MonteCarloKL)
    assert abs(first.estimate - 2.5925815) < 4 * first.error
    # Var[log q - log p] a coordinate, by hand: with c = (1 - 1/p²)/2, d = (q_mu - p_mu)/p², it is
    # 2 c² + d²; c = 0.42, d = 0.64 and 0.32.
    exact = np.sqrt((4 * 0.42**2 + 0.64**2 + 0.32**2) / 20_001)
    assert first.error == pytest.approx(exact, rel=0.03)
    assert first.estimate == second.estimate


def test_chunks_of_one_seed_are_different_samples():
    drawn = []

    class Recorded(tfp.distributions.Normal):
        def _log_prob(self, x):
            drawn.append(x)
            return super()._log_prob(x)

    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        q = Recorded(0.0, 1.0)
        estimate = monte_carlo_kl(q, tfp.distributions.Normal(1.0, 1.0), 30, chunk_size=10, seed=3)
        del sess
    # The log ratio is 1/2 - z here, so that repeated samples would repeat the running sums.
    ratios = np.diff(estimate.mean * estimate.samples, prepend=0)
    assert len(np.unique(ratios.round(9))) == 30
    assert len(drawn) == 1


def test_scipys_distributions_serve_too():
    q = scipy.stats.multivariate_normal([1.0, 4.0], np.eye(2), seed=0)
    p = scipy.stats.multivariate_normal([-3.0, 2.0], 6.25 * np.eye(2))
    estimate = monte_carlo_kl(q, p, 10_001, chunk_size=5000)
    assert abs(estimate.estimate - 2.5925815) < 4 * estimate.error


def test_each_of_a_batch_may_keep_its_own_divergence(golden):
    q, p = normals(tfp.distributions.Normal, golden)
    estimate = monte_carlo_kl(q, p, 20_000, points=50, seed=0, reduce_batch=False)
    assert estimate.mean.shape == estimate.standard_error.shape == (50, 2)
    exact = [
        kl_divergence_gaussians(1.0, 1.0, -3.0, 2.5),
        kl_divergence_gaussians(4.0, 1.0, 2.0, 2.5),
    ]
    assert np.all(np.abs(estimate.estimate - exact) < 4 * estimate.error)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        ((3, FromNumPy()), {}, TypeError, "q must have sample and log_prob"),
        ((FromNumPy(np.zeros), object()), {}, TypeError, "p must have log_prob"),
        ((FromNumPy(np.zeros), FromNumPy(), 0), {}, ValueError, "n_samples must be at least 1"),
        ((FromNumPy(np.zeros), FromNumPy(), 1.5), {}, TypeError, "n_samples must be an integer"),
        ((FromNumPy(np.zeros), FromNumPy()), {"points": 0}, ValueError, "points"),
        ((FromNumPy(np.zeros), FromNumPy()), {"chunk_size": -1}, ValueError, "chunk_size"),
        ((FromNumPy(np.zeros, lambda z: z * np.nan), FromNumPy()), {}, ValueError, "NaN"),
        ((FromNumPy(lambda n: np.zeros(3)), FromNumPy()), {}, ValueError, r"shape \(3,\)"),
    ],
)
def test_bad_estimates_are_refused(arguments, options, error, sentence):
    with pytest.raises(error, match=sentence):
        monte_carlo_kl(*arguments, **options)


# In the autoencoder


def test_monte_carlo_term_of_the_autoencoder_agrees_in_expectation_with_the_analytic_one():
    rows, M = 40_000, 3
    rng = np.random.default_rng(0)
    X = np.tile(rng.integers(0, 2, 12), (rows, 1)).astype(np.float32)
    epsilon = rng.standard_normal((rows, M)).astype(np.float32)
    elbo = {}
    for kl in ("analytic", "monte_carlo"):
        with VariationalAutoencoder(12, [6, M], seed=5, kl=kl) as vae:
            feed = {vae.X: X, vae.epsilon: epsilon}
            elbo[kl], mean, stddev, Z = vae.sess.run((vae.elbo, vae.means, vae.stddev, vae.Z), feed)
    ratio = scipy.stats.norm(mean, stddev).logpdf(Z) - scipy.stats.norm(0, 1).logpdf(Z)
    ratio = ratio.sum(axis=1)
    closed_form = kl_divergence_gaussians(mean[0], stddev[0], 0.0, 1.0)
    # What stands in place of the analytic term is log q(z|x) - log p(z) at each sample, ...
    difference = (elbo["analytic"] - elbo["monte_carlo"]) / rows
    assert difference == pytest.approx(ratio.mean() - closed_form, abs=2e-4)
    # ... and the mean of that over the samples is the analytic term.
    assert abs(difference) < 4 * scipy.stats.sem(ratio)
    assert scipy.stats.sem(ratio) < 0.02 * closed_form
