"""Priors: densities that integrate to one, samples of them, and models that train with them."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logit
from scipy.stats import multivariate_normal, norm
from support.integrals import by_grid, by_importance, finite_differences, tamed
from support.kinds import full_except, repeats_except
from support.parts import QUIET, costs_compiled_and_not, survives

from vae_tf1 import CheckpointError, Gaussian, VariationalAutoencoder, flows, gmm_energy, priors

D, M = 10, 2


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((60, D)) < 0.4).astype(np.float32)


def laplace():
    """Return a trainable distribution of TensorFlow Probability."""
    import tensorflow_probability as tfp

    loc = tf.Variable([0.5, -0.5], dtype=tf.float32)
    return tfp.distributions.Independent(tfp.distributions.Laplace(loc, np.float32([1, 0.8])), 1)


class Sharp:
    """A prior of one's own: a Laplace density with a trained width."""

    def build(self, model, next_seed):
        self.width = tf.compat.v1.Variable(np.ones(1, np.float32), use_resource=True)
        self.variables, self.M = [self.width], model.M

    def log_prob(self, Z):
        return tf.reduce_sum(-tf.abs(Z) / self.width - tf.math.log(2 * self.width), 1)

    def sample(self, n, seed=None):
        u = tf.random.uniform((n, self.M), -1, 1, seed=seed)
        return -self.width * tf.sign(u) * tf.math.log1p(-tf.abs(u) * 0.9999999)


PRIORS = {
    "gaussian": lambda: Gaussian(0.5, 2.0),
    "mixture": lambda: priors.Mixture(3),
    "vamp": lambda: priors.VampPrior(4),
    "real nvp": lambda: flows.RealNVP(2, hidden=[8]),
    "masked autoregressive": lambda: flows.MaskedAutoregressive(2, hidden=[8]),
    "of the library": laplace,
    "of one's own": Sharp,
}
OWN = {"of the library", "of one's own"}


@pytest.fixture(params=PRIORS)
def name(request):
    return request.param


def model(name, **options):
    options = {"seed": 1, "kl": "monte_carlo", **options}
    return VariationalAutoencoder(D, [6, M], prior=PRIORS[name](), **options)


@pytest.mark.parametrize("name", repeats_except(PRIORS, "mixture", "of one's own"))
def test_the_density_integrates_to_one_and_samples_have_its_moments(name):
    axis = np.linspace(-15, 15, 401)
    Z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2).astype(np.float32)
    with tamed(model(name)) as vae:
        with vae.graph.as_default():
            log_prob = vae.prior_distribution.log_prob(vae.Z_input)
            samples = vae.prior_distribution.sample(20_000, seed=3)
        p = np.exp(vae.sess.run(log_prob, {vae.Z_input: Z}).astype(np.float64))
        p *= (axis[1] - axis[0]) ** 2
        drawn = vae.sess.run(samples)
    assert p.sum() == pytest.approx(1, abs=2e-3)
    mean, spread = p @ Z, np.sqrt(p @ Z**2 - (p @ Z) ** 2)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=0.06)
    np.testing.assert_allclose(drawn.std(0), spread, rtol=0.05)
    # the correlation, too
    expected = p @ (Z[:, 0] * Z[:, 1]) - mean[0] * mean[1]
    assert np.cov(drawn.T)[0, 1] == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("name", full_except(PRIORS, "mixture", "vamp"))
def test_the_integral_over_the_code_is_what_importance_sampling_estimates(name, X):
    with tamed(model(name)) as vae:
        expected = by_grid(vae, X[:4], half_width=14, steps=401)
        error = by_importance(vae, X[:4]) - expected
        assert abs(error.mean()) < 0.05
        error = vae.log_likelihood(X[:4], 20_000, progress=False) - expected
    assert abs(error.mean()) < 0.05


@pytest.mark.full
def test_training_is_the_same_compiled_and_not(name, X):
    costs = costs_compiled_and_not(lambda: model(name), X)
    np.testing.assert_allclose(*costs, rtol=1e-4)


@pytest.mark.repeats
@pytest.mark.parametrize("name", full_except(PRIORS, "mixture"))
def test_it_is_resumed_saved_and_loaded(name, X, tmp_path):
    again = {"prior": PRIORS[name]()} if name in OWN else {}
    survives(lambda: model(name), X, tmp_path, **again)


@pytest.mark.parametrize("name", full_except(PRIORS, "gaussian", "mixture"))
def test_the_kl_is_analytic_if_there_is_a_closed_form(name):
    with model(name, kl="analytic") as vae:
        assert vae.kl == ("analytic" if name == "gaussian" else "monte_carlo")


def test_a_closed_form_of_the_library_is_used(X):
    import tensorflow_probability as tfp

    def prior():
        return tfp.distributions.MultivariateNormalDiag(np.float32([0.7, 0.7]), np.float32([2, 2]))

    with VariationalAutoencoder(D, [6, M], prior=prior(), seed=1) as ours:
        assert ours.kl == "analytic"
        found = ours.evaluate(X)
    with VariationalAutoencoder(D, [6, M], prior=Gaussian(0.7, 4.0), seed=1) as closed:
        np.testing.assert_allclose(found, closed.evaluate(X), rtol=1e-5)


class TestMixture:
    def test_its_density_is_that_of_gmm_energy_and_of_scipy(self):
        Z = np.random.default_rng(2).normal(size=(50, M)).astype(np.float32) * 2
        with tamed(model("mixture"), spread=0.8) as vae:
            prior = vae.prior_distribution
            with vae.graph.as_default():
                fetches = (
                    prior.log_prob(vae.Z_input),
                    gmm_energy(vae.Z_input, *prior.parameters(), return_mean=False)[0],
                    prior.parameters(),
                )
            log_prob, energy, (phi, mu, cov, *_) = vae.sess.run(fetches, {vae.Z_input: Z})
        np.testing.assert_array_equal(log_prob, -energy)
        density = sum(
            p * multivariate_normal.pdf(Z, m, c) for p, m, c in zip(phi, mu, cov, strict=True)
        )
        np.testing.assert_allclose(log_prob, np.log(density), rtol=1e-4)

    @pytest.mark.eager
    def test_its_gradients_are_those_of_finite_differences(self):
        rng = np.random.default_rng(4)
        prior = priors.Mixture(2)
        values = [rng.normal(size=shape) for shape in ((2,), (2, M), (2, M, M))]
        Z = tf.constant(rng.normal(size=(5, M)))

        def log_prob(*values):
            prior.logits, prior.means, prior.unbounded = values
            return tf.reduce_sum(prior.log_prob(Z))

        tensors = [tf.constant(value) for value in values]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            total = log_prob(*tensors)
        for i, gradient in enumerate(tape.gradient(total, tensors)):

            def at(value, i=i):
                return float(
                    log_prob(*[tf.constant(v) for v in [*values[:i], value, *values[i + 1 :]]])
                )

            np.testing.assert_allclose(gradient, finite_differences(at, values[i]), atol=1e-6)

    @pytest.mark.repeats
    def test_it_finds_two_clusters_that_one_gaussian_does_not(self, X):
        two = np.repeat(np.float32([[0] * D, [1] * D]), 60, 0)
        elbos = []
        for prior in (None, priors.Mixture(2)):
            with VariationalAutoencoder(D, [6, M], prior=prior, seed=1, kl="monte_carlo") as vae:
                vae.fit(two, epochs=150, batch_sz=40, **QUIET)
                elbos.append(vae.evaluate(two).elbo)
        # One bit says which: −log 2, with each cluster a component of its own.
        assert elbos[1] > elbos[0] + 0.1


class TestVampPrior:
    def test_it_is_the_mean_of_the_posteriors_of_its_inputs(self, X):
        Z = np.random.default_rng(2).normal(size=(20, M)).astype(np.float32)
        inputs = X[:4] * 0.9 + 0.05
        with VariationalAutoencoder(D, [6, M], prior=priors.VampPrior(4, inputs), seed=1) as vae:
            with vae.graph.as_default():
                log_prob = vae.prior_distribution.log_prob(vae.Z_input)
                pseudo = vae.prior_distribution.pseudo_inputs()
            found, images = vae.sess.run((log_prob, pseudo), {vae.Z_input: Z})
            np.testing.assert_allclose(images, inputs, atol=1e-5)
            means, stddev = vae.sess.run((vae.means, vae.stddev), {vae.X: images})
        density = norm.pdf(Z[:, None], means, stddev).prod(2).mean(1)
        np.testing.assert_allclose(found, np.log(density), rtol=1e-3, atol=1e-3)

    @pytest.mark.repeats
    def test_its_inputs_are_trained_and_stay_images(self, X):
        with VariationalAutoencoder(D, [6, M], prior=priors.VampPrior(4, X[:4]), seed=1) as vae:
            with vae.graph.as_default():
                pseudo = vae.prior_distribution.pseudo_inputs()
            before = vae.sess.run(pseudo)
            vae.fit(X, epochs=5, batch_sz=20, **QUIET)
            after = vae.sess.run(pseudo)
        # in logits, of which a step of RMSProp at 0.001 moves some by 0.001 or more
        assert np.abs(logit(after) - logit(before)).max() > 5e-3
        assert after.min() >= 0
        assert after.max() <= 1

    @pytest.mark.repeats
    @pytest.mark.parametrize("likelihood", ["gaussian", "categorical"])
    def test_its_inputs_are_of_the_values_that_the_likelihood_takes(self, likelihood, X):
        inputs = X[:4] * 7 + 1
        prior = priors.VampPrior(4, inputs)
        with VariationalAutoencoder(D, [M], prior=prior, likelihood=likelihood, seed=1) as vae:
            with vae.graph.as_default():
                pseudo = vae.prior_distribution.pseudo_inputs()
            np.testing.assert_allclose(
                vae.sess.run(pseudo),
                np.maximum(inputs, 2.55 * (likelihood == "categorical")),
                rtol=1e-4,
            )


class TestRefused:
    @pytest.mark.parametrize(
        ("prior", "error", "message"),
        [
            (3, TypeError, "prior must be None, a Gaussian, one of vae_tf1.priors, a flow"),
            (priors.Mixture, TypeError, "prior must be None"),
            (type("P", (), {"log_prob": 0})(), TypeError, r"sample\(n\), but P has no sample"),
            (flows.Planar(2), TypeError, "Planar has no inverse, which the density of a prior"),
            (
                priors.VampPrior(4, np.zeros((3, D))),
                ValueError,
                r"shape \(3, 10\), expected \(4, 1",
            ),
            (priors.VampPrior(1, np.full((1, D), 2)), ValueError, "from 2 to 2, but values in"),
        ],
    )
    def test_what_is_no_prior(self, prior, error, message):
        with pytest.raises(error, match=message):
            VariationalAutoencoder(D, [M], prior=prior)

    def test_a_distribution_of_another_size(self):
        message = r"batch shape \[\] and event shape \[2\], expected \[\] and \[3\]"
        with pytest.raises(ValueError, match=message):
            VariationalAutoencoder(D, [3], prior=laplace())

    def test_a_density_of_another_shape(self):
        class Wrong(Sharp):
            def log_prob(self, Z):
                return -tf.abs(Z)

        with pytest.raises(ValueError, match=r"log_prob of the prior must have shape \(B,\)"):
            VariationalAutoencoder(D, [M], prior=Wrong())

    def test_a_prior_of_ones_own_must_be_passed_again(self, tmp_path):
        with model("of one's own") as vae:
            vae.save(tmp_path / "a")
        with pytest.raises(CheckpointError, match=r"your own prior \(Sharp\): pass it again"):
            VariationalAutoencoder.load(tmp_path / "a")
        with pytest.raises(CheckpointError, match="variable 1 of the prior"):
            VariationalAutoencoder.load(tmp_path / "a", prior=priors.Mixture(3))
