"""Likelihoods: densities that integrate to one, and models that train and resume with them."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import quad
from support.integrals import by_grid, by_importance, finite_differences, tamed
from support.kinds import full_except, repeats_except

from vae_tf1 import CheckpointError, VariationalAutoencoder, likelihoods
from vae_tf1.data.rows import as_rows
from vae_tf1.likelihoods import Categorical, ContinuousBernoulli, Gaussian
from vae_tf1.model.support import REAL, Support

D, M = 6, 2
LOGITS = [-40.0, -3.0, -0.6, -0.4, -1e-3, 0.0, 1e-6, 0.2, 0.5, 2.0, 40.0]
QUIET = {"progress": False, "plot": False}


def uniform(seed=0, rows=120):
    return np.random.default_rng(seed).random((rows, D)).astype(np.float32)


def float64(values):
    return tf.constant(values, tf.float64)


@pytest.mark.eager
class TestContinuousBernoulli:
    @pytest.mark.parametrize("logit", LOGITS)
    def test_integrates_to_one_and_has_its_mean(self, logit):
        likelihood, logits = ContinuousBernoulli(), float64([[logit]])

        def density(x):
            return float(np.exp(likelihood.log_prob(float64([[x]]), logits)[0]))

        ends = {"points": [0.02, 0.98]}
        assert quad(density, 0, 1, **ends)[0] == pytest.approx(1, abs=1e-7)
        mean = quad(lambda x: x * density(x), 0, 1, **ends)[0]
        assert float(likelihood.mean(logits)[0, 0]) == pytest.approx(mean, abs=1e-7)

    def test_is_that_of_tensorflow_probability(self):
        import tensorflow_probability as tfp

        logits = np.linspace(-20, 20, 81, dtype=np.float32)[:, None]
        X = uniform(rows=81)[:, :1]
        theirs = tfp.distributions.ContinuousBernoulli(logits=logits.astype(np.float64))
        ours = ContinuousBernoulli().log_prob(X, tf.constant(logits))
        expected = tf.reduce_sum(theirs.log_prob(X.astype(np.float64)), 1)
        np.testing.assert_allclose(ours, expected, rtol=2e-6, atol=2e-6)

    def test_is_stable_in_float32_around_a_half(self):
        logits = np.concatenate([[0.0], np.logspace(-30, 0, 200), -np.logspace(-30, 0, 200)])
        X = np.full((len(logits), 1), 0.3)
        low = tf.constant(logits[:, None].astype(np.float32))
        with tf.GradientTape() as tape:
            tape.watch(low)
            value = ContinuousBernoulli().log_prob(tf.constant(X, tf.float32), low)
        high = ContinuousBernoulli().log_prob(float64(X), float64(logits[:, None]))
        np.testing.assert_allclose(value, high, atol=1e-7)
        slope = X[:, 0] - ContinuousBernoulli().mean(float64(logits[:, None]))[:, 0]
        np.testing.assert_allclose(tape.gradient(value, low)[:, 0], slope, atol=1e-6)

    def test_samples_have_the_mean_and_stay_in_the_unit_interval(self):
        logits = tf.constant(np.tile(np.float32([[-90, -3, -1e-4, 0, 0.7, 90]]), (40_000, 1)))
        samples = ContinuousBernoulli().sample(logits, seed=1).numpy()
        assert samples.min() >= 0
        assert samples.max() <= 1
        expected = ContinuousBernoulli().mean(logits)[0]
        np.testing.assert_allclose(samples.mean(0), expected, atol=5 * 0.29 / 200)


def built(likelihood):
    if hasattr(likelihood, "build"):
        likelihood.build(D)
    return likelihood


class TestGaussian:
    @pytest.mark.parametrize("variance", ["shared", "pixel", "decoder"])
    @pytest.mark.eager
    def test_is_a_product_of_normal_densities(self, variance):
        from scipy.stats import norm

        rng = np.random.default_rng(3)
        likelihood = built(Gaussian(variance))
        parameters = rng.normal(size=(4, D * likelihood.n_parameters)).astype(np.float32)
        X = rng.normal(size=(4, D)).astype(np.float32)
        means, stddev = likelihood.moments(tf.constant(parameters))
        if variance == "decoder":
            np.testing.assert_allclose(stddev, 0.01 + np.log1p(np.exp(parameters[:, D:])), 1e-6)
        else:
            np.testing.assert_allclose(stddev, 1.01, 1e-6)
        expected = norm.logpdf(X, parameters[:, :D], stddev).sum(1)
        np.testing.assert_allclose(likelihood.log_prob(X, tf.constant(parameters)), expected, 1e-5)
        np.testing.assert_array_equal(likelihood.mean(tf.constant(parameters)), means)

    def test_the_floor_bounds_the_density_of_data_that_never_changes(self):
        X = np.tile(np.float32([[0.25, -1, 2, 0, 0, 7]]), (80, 1))
        with VariationalAutoencoder(D, [4, M], likelihood=Gaussian(least_stddev=0.5)) as vae:
            vae.fit(X, epochs=30, batch_sz=20, **QUIET)
            best = -D * (0.5 * np.log(2 * np.pi) + np.log(0.5))
            assert vae.evaluate(X).reconstruction < best

    @pytest.mark.eager
    def test_samples_are_spread_by_the_standard_deviation(self):
        likelihood = built(Gaussian("decoder", least_stddev=0.1))
        parameters = np.tile(np.float32([[3, -1, -2, 0.5]]), (40_000, 1))
        samples = likelihood.sample(tf.constant(parameters), seed=2).numpy()
        stddev = 0.1 + np.log1p(np.exp([-2, 0.5]))
        np.testing.assert_allclose(samples.std(0), stddev, rtol=0.02)
        np.testing.assert_allclose(samples.mean(0), [3, -1], atol=0.03)


@pytest.mark.eager
class TestCategorical:
    def test_the_probabilities_of_all_classes_sum_to_one(self):
        likelihood = Categorical(4)
        parameters = tf.constant(np.random.default_rng(0).normal(size=(1, 2 * 4)))
        everything = np.stack(np.meshgrid(range(4), range(4)), -1).reshape(-1, 2)
        log_probs = likelihood.log_prob(everything, tf.repeat(parameters, 16, axis=0))
        assert np.exp(log_probs).sum() == pytest.approx(1)
        probs = likelihood.probs(parameters)[0].numpy()
        np.testing.assert_allclose(
            log_probs, np.log(probs[0, everything[:, 0]] * probs[1, everything[:, 1]])
        )
        np.testing.assert_allclose(likelihood.mean(parameters)[0], probs @ np.arange(4))

    def test_samples_have_the_probabilities(self):
        likelihood = Categorical(3)
        logits = np.log([0.2, 0.5, 0.3, 0.9, 0.05, 0.05]).astype(np.float32)
        samples = likelihood.sample(tf.constant(np.tile(logits, (20_000, 1))), seed=3).numpy()
        counted = [np.bincount(column, minlength=3) / 20_000 for column in samples.T]
        np.testing.assert_allclose(np.ravel(counted), np.exp(logits), atol=0.02)


@pytest.mark.eager
@pytest.mark.parametrize("likelihood", [ContinuousBernoulli(), Gaussian("decoder"), Categorical(3)])
def test_gradients_are_those_of_finite_differences(likelihood):
    rng = np.random.default_rng(5)
    classes = type(likelihood) is Categorical
    X = float64(rng.integers(0, 3, (2, D)) if classes else rng.random((2, D)))
    value = rng.normal(size=(2, D * likelihood.n_parameters)) * 2
    parameters = float64(value)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        total = tf.reduce_sum(likelihood.log_prob(X, parameters))
    expected = finite_differences(
        lambda v: float(tf.reduce_sum(likelihood.log_prob(X, float64(v)))), value
    )
    np.testing.assert_allclose(tape.gradient(total, parameters), expected, rtol=1e-6, atol=1e-6)


# In the model ------------------------------------------------------------------------------------


class Poisson:
    """Counts: a likelihood of one's own, with a variable of its own."""

    n_parameters = 1
    support = Support(0, np.inf, whole=True)

    def build(self, D):
        self.offset = tf.compat.v1.Variable(np.zeros(D, np.float32), use_resource=True)
        self.variables = [self.offset]

    def log_prob(self, X, parameters):
        rate = self.mean(parameters)
        return tf.reduce_sum(X * tf.math.log(rate) - rate - tf.math.lgamma(X + 1), 1)

    def sample(self, parameters, seed=None):
        return tf.random.poisson((), self.mean(parameters), seed=seed)

    def mean(self, parameters):
        return tf.nn.softplus(parameters + self.offset) + 1e-3


KINDS = {
    "continuous_bernoulli": ("continuous_bernoulli", lambda X: X),
    "gaussian": ("gaussian", lambda X: 3 * X - 1),
    "gaussian, a variance a pixel": (Gaussian("pixel"), lambda X: 3 * X - 1),
    "gaussian, from the decoder": (Gaussian("decoder", least_stddev=0.1), lambda X: 3 * X - 1),
    "categorical": (Categorical(4), lambda X: np.floor(4 * X)),
    "of one's own": (Poisson(), lambda X: np.floor(5 * X)),
}


@pytest.fixture(params=KINDS)
def kind(request):
    likelihood, data = KINDS[request.param]
    return likelihood, data(uniform())


def model(likelihood, **options):
    return VariationalAutoencoder(
        D, [8, M], seed=1, likelihood=likelihood, kl="monte_carlo", **options
    )


@pytest.mark.full
def test_training_is_the_same_compiled_and_not(kind):
    likelihood, X = kind
    costs = []
    for compiled in (False, True):
        with model(likelihood) as vae:
            costs.append(vae.fit(X, epochs=4, batch_sz=40, compile=compiled, **QUIET))
    np.testing.assert_allclose(*costs, rtol=1e-4)
    assert np.mean(costs[0][-3:]) > np.mean(costs[0][:3])


@pytest.mark.repeats
@pytest.mark.parametrize("kind", full_except(KINDS, "gaussian"), indirect=True)
def test_save_load_evaluate_and_resume(kind, tmp_path):
    likelihood, X = kind
    with model(likelihood) as whole:
        whole.fit(X, epochs=4, batch_sz=40, **QUIET)
        expected, weights = whole.evaluate(X), whole.sess.run(whole.variables)
    with model(likelihood) as half:
        half.fit(X, epochs=2, batch_sz=40, checkpoint_dir=tmp_path, **QUIET)
    with model(likelihood) as resumed:
        resumed.fit(X, epochs=4, batch_sz=40, checkpoint_dir=tmp_path, **QUIET)
        assert resumed.evaluate(X) == expected
    own = {"likelihood": likelihood} if type(likelihood) is Poisson else {}
    with VariationalAutoencoder.load(tmp_path, **own) as loaded:
        assert type(loaded.likelihood).__name__ in {*likelihoods.READY_MADE, "Poisson"}
        assert loaded.evaluate(X) == expected
        for ours, theirs in zip(loaded.sess.run(loaded.variables), weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", repeats_except(KINDS, "gaussian", "categorical"), indirect=True)
def test_the_integral_over_the_code_is_what_importance_sampling_estimates(kind):
    likelihood, X = kind
    with tamed(model(likelihood)) as vae:
        error = by_importance(vae, X[:6]) - by_grid(vae, X[:6])
    assert abs(error.mean()) < 0.05


@pytest.mark.parametrize("kind", repeats_except(KINDS, "gaussian", "categorical"), indirect=True)
def test_samples_and_means_come_from_the_likelihood(kind):
    likelihood, X = kind
    with model(likelihood) as vae:
        assert vae.reconstruct(X).shape == X.shape
        samples = [vae.posterior_predictive_sample(X), *vae.prior_predictive_sample_with_probs(50)]
        as_rows(samples[0], D, support=likelihoods.support_of(vae.likelihood))
        as_rows(samples[1], D, support=likelihoods.support_of(vae.likelihood))
        Z = np.random.default_rng(0).normal(size=(5, M))
        with vae.graph.as_default():
            mean = vae.likelihood.mean(vae.decode(vae.Z_input))
        expected = vae.sess.run(mean, {vae.Z_input: Z})
        np.testing.assert_array_equal(vae.prior_predictive_with_input(Z), expected)


class TestDoor:
    @pytest.mark.parametrize(
        ("likelihood", "X", "message"),
        [
            ("bernoulli", [[-1.5] * D], r"from -1.5 to -1.5, but values in \[0, 1\] are expected"),
            ("bernoulli", [[2.5] * D], r"values in \[0, 1\] are expected; divide 8-bit"),
            ("continuous_bernoulli", [[-0.5] * D], "likelihood='gaussian' takes any"),
            ("gaussian", [[np.inf] * D], "NaN or infinity, but finite numbers are expected"),
            (Categorical(3), [[3] * D], r"from 3 to 3, but integers in \[0, 2\] are expected"),
            (Categorical(3), [[0.5] * D], r"the value 0.5, but integers in \[0, 2\] are expected"),
            (Poisson(), [[-1] * D], "finite integers of at least 0 are expected"),
        ],
    )
    def test_data_that_do_not_fit_the_likelihood(self, likelihood, X, message):
        with model(likelihood) as vae, pytest.raises(ValueError, match=message):
            vae.fit(X, batch_sz=1, **QUIET)

    def test_classes_are_kept_as_bytes(self):
        X = np.random.default_rng(0).integers(0, 256, (20, D))
        rows = as_rows(X, D, support=Support(0, 255, whole=True))
        assert (rows.dtype, rows.levels) == (np.uint8, 1)
        np.testing.assert_array_equal(rows.take(slice(None)), X)

    def test_real_values_are_never_changed(self):
        X = np.random.default_rng(0).integers(-300, 300, (20, D))
        np.testing.assert_array_equal(as_rows(X, D, support=REAL).take(slice(None)), X)

    @pytest.mark.parametrize(
        ("likelihood", "error"),
        [("gauss", ValueError), (None, TypeError), (3, TypeError), (Gaussian, TypeError)],
    )
    def test_what_is_no_likelihood(self, likelihood, error):
        with pytest.raises(error, match=r"likelihood must be one of 'bernoulli', .*'categorical'"):
            VariationalAutoencoder(D, [M], likelihood=likelihood)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Gaussian("own"),
            lambda: Gaussian(least_stddev=0),
            lambda: Categorical(1),
            lambda: Categorical(2.5),
        ],
    )
    def test_arguments_out_of_range(self, make):
        with pytest.raises((TypeError, ValueError), match="must be"):
            make()


class TestCheckpoint:
    def test_a_likelihood_of_ones_own_must_be_passed_again(self, tmp_path):
        with model(Poisson()) as vae:
            vae.save(tmp_path / "a")
        with pytest.raises(CheckpointError, match=r"own likelihood \(Poisson\): pass it again"):
            VariationalAutoencoder.load(tmp_path / "a")

    def test_another_likelihood_has_other_variables(self, tmp_path):
        with model("gaussian") as vae:
            vae.save(tmp_path / "a")
        with pytest.raises(CheckpointError, match="variable 1 of the likelihood has shape"):
            VariationalAutoencoder.load(tmp_path / "a", likelihood=Gaussian("pixel"))

    @pytest.mark.repeats
    def test_a_training_with_another_likelihood_is_not_resumed(self, tmp_path):
        X = uniform()
        with model("bernoulli") as vae:
            vae.fit(X, epochs=1, batch_sz=40, checkpoint_dir=tmp_path, **QUIET)
        with (
            model("continuous_bernoulli") as vae,
            pytest.raises(CheckpointError, match="another likelihood"),
        ):
            vae.fit(X, epochs=2, batch_sz=40, checkpoint_dir=tmp_path, **QUIET)

    @pytest.mark.parametrize(
        "lie",
        [
            '{"type": "Nothing"}',
            '{"type": "Categorical", "k": -1}',
            '{"type": "Gaussian", "x": 1}',
        ],
    )
    def test_a_description_that_lies(self, lie, tmp_path):
        with model(Categorical(3)) as vae:
            vae.save(tmp_path / "a")
        file = tmp_path / "a.json"
        text = file.read_text()
        start = text.index('{\n    "type"')
        file.write_text(text[:start] + lie + text[text.index("}", start) + 1 :])
        with pytest.raises(CheckpointError, match="cannot be built"):
            VariationalAutoencoder.load(tmp_path / "a")


class Scaled(VariationalAutoencoder):
    """A subclass with a variable of its own."""

    def _build_layers(self):
        super()._build_layers()
        self.scale = tf.compat.v1.Variable(np.ones(1, np.float32), use_resource=True)
        self.unused = tf.compat.v1.Variable(np.ones(2, np.float32), use_resource=True)

    @property
    def variables(self):
        return [*super().variables, self.scale, self.unused]

    def decode(self, Z):
        return super().decode(Z) * self.scale


@pytest.mark.repeats
def test_a_subclass_with_variables_of_its_own_is_trained_and_saved(tmp_path):
    X = uniform()
    with Scaled(D, [4, M], seed=2) as vae:
        vae.fit(X, epochs=2, batch_sz=40, **QUIET)
        scale = vae.sess.run(vae.scale)
        assert scale != 1
        np.testing.assert_array_equal(vae.sess.run(vae.unused), 1)
        vae.save(tmp_path / "a")
    with Scaled.load(tmp_path / "a") as loaded:
        assert loaded.sess.run(loaded.scale) == scale
    with pytest.raises(CheckpointError, match="has no variable 3 of the model"):
        restored(tmp_path / "a")


def restored(path):
    class More(Scaled):
        @property
        def variables(self):
            return [*super().variables, self.more]

        def _build_layers(self):
            super()._build_layers()
            self.more = tf.compat.v1.Variable(np.ones(1, np.float32), use_resource=True)

    More.load(path)
