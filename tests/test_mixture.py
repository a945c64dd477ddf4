"""Mixture parameters, energies and the EM fit against golden values, SciPy and known mixtures."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from support.prob_modes import both_modes, both_types

from vae_tf1 import fit_mixture, gmm_energy, gmm_params
from vae_tf1.mixture import Mixture, auroc, responsibilities

NAMES = ("phi", "mu", "cov", "L", "log_det_cov")


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "probability.npz") as file:
        return {key[4:]: file[key] for key in file if key.startswith("gmm_")}


def random_mixture(dtype="float64", n=200, k=3, d=4, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    return z.astype(dtype), rng.dirichlet(np.ones(k), n).astype(dtype)


def energies(z, gamma, points=None):
    points = z if points is None else points
    return gmm_energy(points, *gmm_params(z, gamma), return_mean=False)[0]


def scipy_energy(z, phi, mu, cov):
    log_joint = [
        np.log(p) + scipy.stats.multivariate_normal(m, c).logpdf(z)
        for p, m, c in zip(phi, mu, cov, strict=True)
    ]
    return -scipy.special.logsumexp(log_joint, axis=0)


# Parameters and energies


@both_modes
@both_types
def test_parameters_and_energies_are_golden(run, dtype, golden):
    def everything(z, gamma):
        mixture = gmm_params(z, gamma)
        energy, cov_diag = gmm_energy(z, *mixture, return_mean=False)
        return *mixture, energy, cov_diag, gmm_energy(z, *mixture)[0]

    values = run(everything, golden["z"].astype(dtype), golden["gamma"].astype(dtype))
    names = (*NAMES, "energy", "cov_diag", "energy_mean")
    for name, value in zip(names, values, strict=True):
        assert value.dtype == dtype
        assert value.shape == golden[name].shape
        np.testing.assert_allclose(value, golden[name], rtol=2e-6, atol=2e-6, err_msg=name)


@both_modes
def test_parameters_are_the_weighted_moments(run):
    z, gamma = random_mixture()
    phi, mu, cov, L, log_det_cov = run(gmm_params, z, gamma)
    np.testing.assert_allclose(phi, gamma.mean(axis=0), rtol=1e-12)
    for k in range(3):
        np.testing.assert_allclose(mu[k], np.average(z, axis=0, weights=gamma[:, k]), rtol=1e-10)
        exact = np.cov(z.T, aweights=gamma[:, k], ddof=0)
        np.testing.assert_allclose(cov[k], exact, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(L[k] @ L[k].T, exact + 1e-6 * np.eye(4), rtol=1e-10, atol=1e-12)
        assert log_det_cov[k] == pytest.approx(np.linalg.slogdet(exact + 1e-6 * np.eye(4))[1])


@both_modes
def test_energy_is_scipys_negative_log_density(run):
    z, gamma = random_mixture()
    phi, mu, cov, *_ = run(gmm_params, z, gamma)
    exact = scipy_energy(z, phi, mu, cov + 1e-6 * np.eye(4))
    np.testing.assert_allclose(run(energies, z, gamma), exact, rtol=1e-10)
    energy, cov_diag = run(lambda z, gamma: gmm_energy(z, *gmm_params(z, gamma)), z, gamma)
    assert energy == pytest.approx(exact.mean(), rel=1e-10)
    assert cov_diag == pytest.approx(np.sum(1 / np.diagonal(cov, axis1=1, axis2=2)), rel=1e-10)


@both_modes
@both_types
def test_order_of_observations_and_of_components_does_not_matter(run, dtype):
    z, gamma = random_mixture(dtype)
    tolerance = {"float32": 1e-4, "float64": 1e-11}[dtype]
    energy = run(energies, z, gamma)
    np.testing.assert_allclose(run(energies, z, gamma[:, [2, 0, 1]]), energy, rtol=tolerance)
    order = np.random.default_rng(1).permutation(len(z))
    np.testing.assert_allclose(run(energies, z[order], gamma[order]), energy[order], rtol=tolerance)


@both_modes
@both_types
def test_a_shift_of_everything_does_not_matter(run, dtype):
    z, gamma = random_mixture(dtype)
    tolerance = {"float32": 1e-3, "float64": 1e-9}[dtype]
    shifted = run(energies, z + np.array([100, -50, 7, 0], dtype), gamma)
    np.testing.assert_allclose(shifted, run(energies, z, gamma), rtol=tolerance)


@both_types
def test_one_graph_serves_batches_of_any_size(dtype):
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        z = tf.compat.v1.placeholder(dtype, (None, 4))
        gamma = tf.compat.v1.placeholder(dtype, (None, None))
        energy = energies(z, gamma)
        assert energy.shape.as_list() == [None]
        pairs = [random_mixture(dtype, n=n, k=k) for n, k in ((50, 2), (200, 5))]
        values = [sess.run(energy, {z: pair[0], gamma: pair[1]}) for pair in pairs]
    for value, pair in zip(values, pairs, strict=True):
        np.testing.assert_allclose(value, energies(*pair), rtol=1e-4)


def with_gradient(z, gamma):
    with tf.GradientTape() as tape:
        tape.watch((z, gamma))
        mixture = gmm_params(z, gamma)
        energy, cov_diag = gmm_energy(z, *mixture, return_mean=False)
        loss = tf.reduce_mean(energy)
    return energy, cov_diag, tape.gradient(loss, (z, gamma)), mixture


@both_modes
@both_types
def test_a_component_of_no_weight_is_as_good_as_absent(run, dtype):
    z, gamma = random_mixture(dtype)
    idle = np.concatenate([gamma, np.zeros((len(z), 1), dtype)], axis=1)
    energy, cov_diag, gradients, mixture = run(with_gradient, z, idle)
    np.testing.assert_allclose(energy, run(energies, z, gamma), rtol=1e-5)
    assert np.isfinite(cov_diag)
    for value in (*mixture, *gradients):
        assert np.isfinite(value).all()
    far = run(lambda z, gamma, x: energies(z, gamma, x), z, idle, 1e3 * np.ones((1, 4), dtype))
    near_zero = run(
        lambda z, gamma, x: energies(z, gamma, x), z, gamma, 1e3 * np.ones((1, 4), dtype)
    )
    np.testing.assert_allclose(far, near_zero, rtol=1e-3)


SINGULAR = {
    "a constant coordinate": lambda z, rng: z * [1, 1, 0, 1],
    "all observations equal": lambda z, rng: np.ones_like(z),
    "on a line": lambda z, rng: z[:, :1] * rng.normal(size=4),
    "on a line, large": lambda z, rng: 1e4 * z[:, :1] * rng.normal(size=4) + 1e5,
    "on a plane, small": lambda z, rng: 1e-5 * z[:, :2] @ rng.normal(size=(2, 4)),
}


@both_modes
@both_types
@pytest.mark.parametrize("how", SINGULAR)
def test_singular_covariances_have_finite_energies(run, dtype, how):
    z, gamma = random_mixture()
    z = SINGULAR[how](z, np.random.default_rng(2)).astype(dtype)
    energy, cov_diag, gradients, mixture = run(with_gradient, z, gamma.astype(dtype))
    for value in (energy, cov_diag, *gradients, *mixture):
        assert np.isfinite(value).all()


@both_modes
def test_responsibilities_are_bayes(run):
    z, gamma = random_mixture()
    phi, mu, cov, *_ = run(gmm_params, z, gamma)
    posterior = run(lambda z, gamma: responsibilities(z, *gmm_params(z, gamma)), z, gamma)
    joint = np.stack(
        [
            p * scipy.stats.multivariate_normal(m, c + 1e-6 * np.eye(4)).pdf(z)
            for p, m, c in zip(phi, mu, cov, strict=True)
        ],
        axis=1,
    )
    np.testing.assert_allclose(posterior, joint / joint.sum(axis=1, keepdims=True), rtol=1e-8)


@pytest.mark.parametrize(
    ("z", "gamma", "error", "sentence"),
    [
        (np.zeros((5, 2), "f"), np.ones((4, 1), "f"), ValueError, "as many rows"),
        (np.zeros(5, "f"), np.ones((5, 1), "f"), ValueError, "z must be a matrix"),
        (tf.zeros((5, 2)), tf.ones((5, 1), tf.float64), TypeError, "gamma must be"),
        (np.zeros((5, 2), int), np.ones((5, 1)), TypeError, "z must be float32 or float64"),
    ],
)
def test_bad_arguments_are_refused(z, gamma, error, sentence):
    with pytest.raises(error, match=sentence):
        gmm_params(z, gamma)


def test_observations_of_other_dimensions_are_refused():
    with pytest.raises(
        ValueError, match=r"z has shape \(5, 3\), but the means have shape \(3, 4\)"
    ):
        gmm_energy(np.zeros((5, 3)), *gmm_params(*random_mixture()))


# The fit


PHI, MU = np.array([0.5, 0.3, 0.2]), np.array([[0.0, 0.0], [6.0, 1.0], [-3.0, 7.0]])
COV = np.array([[[1.0, 0.6], [0.6, 1.0]], [[0.5, 0.0], [0.0, 2.0]], [[1.5, -0.7], [-0.7, 0.8]]])


def draw(n, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    component = rng.choice(3, size=n, p=PHI)
    epsilon = rng.standard_normal((n, 2))
    z = MU[component] + np.einsum("nij,nj->ni", np.linalg.cholesky(COV)[component], epsilon)
    return z.astype(dtype)


@both_types
def test_fit_finds_the_mixture_that_was_drawn_from(dtype):
    z = draw(20_000, dtype)
    mixture = fit_mixture(z, 3)
    assert all(isinstance(value, np.ndarray) and value.dtype == dtype for value in mixture)
    order = np.argsort(-mixture.phi)
    np.testing.assert_allclose(mixture.phi[order], PHI, atol=0.01)
    np.testing.assert_allclose(mixture.mu[order], MU, atol=0.08)
    np.testing.assert_allclose(mixture.cov[order], COV, atol=0.1)
    truth = scipy_energy(np.float64(z), PHI, MU, COV).mean()
    assert truth - 0.002 < mixture.energy(z).mean() < truth


def test_fit_ends_where_a_step_of_em_by_scipy_changes_nothing():
    z = draw(2000)
    phi, mu, cov, *_ = fit_mixture(z, 3, max_iterations=2000, tolerance=0)
    joint = np.stack(
        [
            p * scipy.stats.multivariate_normal(m, c).pdf(z)
            for p, m, c in zip(phi, mu, cov, strict=True)
        ],
        axis=1,
    )
    gamma = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(gamma.mean(axis=0), phi, atol=1e-4)
    np.testing.assert_allclose(gamma.T @ z / gamma.sum(axis=0)[:, None], mu, atol=1e-3)


@pytest.mark.full
def test_every_iteration_lowers_the_energy():
    z = draw(1000)
    path = [fit_mixture(z, 4, max_iterations=n, tolerance=0).energy(z).mean() for n in range(1, 7)]
    assert np.all(np.diff(path) < 1e-9)
    assert path[-1] < path[0]


def test_tolerance_stops_the_fit():
    z = draw(1000)
    strict, loose = (fit_mixture(z, 4, tolerance=t).energy(z).mean() for t in (1e-9, 1e9))
    assert loose == pytest.approx(fit_mixture(z, 4, max_iterations=1).energy(z).mean(), rel=1e-12)
    assert strict < loose - 0.003


@both_modes
def test_fit_of_a_tensor_is_a_tensor_with_the_same_numbers(run):
    z = draw(500)
    of_tensor = run(lambda z: tuple(fit_mixture(z, 3, seed=4)), z)
    for name, value, expected in zip(NAMES, of_tensor, fit_mixture(z, 3, seed=4), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-8, atol=1e-10, err_msg=name)


def test_fit_follows_the_seed_and_leaves_the_graph_alone():
    z = draw(500)
    with tf.Graph().as_default() as graph:
        first, second = fit_mixture(z, 5, seed=1), fit_mixture(z, 5, seed=1)
        assert not graph.get_operations()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.any(fit_mixture(z, 5, seed=2).mu != first.mu)


def test_more_components_than_distinct_observations_still_give_finite_energies():
    z = np.repeat(np.eye(3), 10, axis=0)
    assert np.isfinite(fit_mixture(z, 5).energy(z)).all()


def test_energy_of_arrays_is_the_graphs_block_by_block():
    z = draw(1000)
    mixture = fit_mixture(z, 3)
    many = np.tile(z, (25, 1))  # more than fit a block
    expected, _ = gmm_energy(z, *mixture, return_mean=False)
    np.testing.assert_allclose(mixture.energy(many), np.tile(expected, 25), rtol=1e-12)
    assert gmm_energy(z, *mixture)[0].numpy() == pytest.approx(mixture.energy(z).mean())


def test_samples_follow_the_mixture():
    mixture = fit_mixture(draw(20_000), 3)
    samples = mixture.sample(20_000, seed=0)
    again = fit_mixture(samples, 3)
    order, order_again = np.argsort(mixture.phi), np.argsort(again.phi)
    np.testing.assert_allclose(again.phi[order_again], mixture.phi[order], atol=0.015)
    np.testing.assert_allclose(again.mu[order_again], mixture.mu[order], atol=0.1)
    np.testing.assert_allclose(again.cov[order_again], mixture.cov[order], atol=0.12)
    np.testing.assert_array_equal(samples, mixture.sample(20_000, seed=0))
    assert np.any(samples != mixture.sample(20_000, seed=1))


@pytest.mark.parametrize(
    ("z", "options", "error", "sentence"),
    [
        (np.zeros((3, 2)), {"n_components": 4}, ValueError, "4 components need as many"),
        (np.zeros((3, 2)), {"n_components": 0}, ValueError, "n_components must be at least 1"),
        (np.zeros((3, 2)), {"n_components": 1.5}, TypeError, "n_components must be an integer"),
        (np.zeros(3), {"n_components": 1}, ValueError, "non-empty matrix"),
        (np.zeros((0, 3)), {"n_components": 1}, ValueError, "non-empty matrix"),
        ([[np.nan, 1.0]], {"n_components": 1}, ValueError, "finite"),
        ([["a", "b"]], {"n_components": 1}, TypeError, "matrix of numbers"),
        (np.zeros((3, 2)), {"n_components": 1, "max_iterations": 0}, ValueError, "max_iterations"),
        (np.zeros((3, 2)), {"n_components": 1, "tolerance": -1}, ValueError, "tolerance"),
    ],
)
def test_bad_fits_are_refused(z, options, error, sentence):
    with pytest.raises(error, match=sentence):
        fit_mixture(z, **options)


def test_a_mixture_is_the_five_parameters_in_the_seeds_order():
    assert Mixture._fields == NAMES


# AUROC


def test_auroc_counts_the_pairs_in_order_with_ties_half():
    rng = np.random.default_rng(0)
    inliers, outliers = rng.integers(0, 10, 200), rng.integers(3, 13, 150)
    above = outliers[:, None] > inliers
    ties = outliers[:, None] == inliers
    assert auroc(inliers, outliers) == pytest.approx(np.mean(above + 0.5 * ties), rel=1e-12)
    statistic = scipy.stats.mannwhitneyu(outliers, inliers).statistic
    assert auroc(inliers, outliers) == pytest.approx(statistic / (200 * 150), rel=1e-12)


def test_auroc_of_two_normals_is_known():
    rng = np.random.default_rng(0)
    area = auroc(rng.normal(size=50_000), rng.normal(1.0, 1.0, 50_000))
    assert area == pytest.approx(scipy.stats.norm.cdf(1 / np.sqrt(2)), abs=0.005)
    assert auroc([1, 2], [3, np.inf]) == 1
    assert auroc([3], [1]) == 0


@pytest.mark.parametrize(("a", "b"), [([], [1]), ([1], []), ([1, np.nan], [1])])
def test_auroc_refuses_what_cannot_be_ranked(a, b):
    with pytest.raises(ValueError, match="scores must"):
        auroc(a, b)
