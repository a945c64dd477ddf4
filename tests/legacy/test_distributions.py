"""`tf.contrib.distributions` and `tf.distributions` give what TF1's did, in both spellings.

The golden files are what `scripts/distributions_of_tf1.py` writes under a genuine
TensorFlow: `legacy_distributions_tf115.npz` under 1.15.5 (1.4.1 gives the same numbers) and
`legacy_distributions_tf012.npz` under 0.12.1, in the spelling of that time.
"""

import ast
import math
import runpy

import numpy as np
import pytest
import scipy.stats
from support.legacy_runs import SCRIPTS, run

from vae_tf1.legacy import tensorflow1
from vae_tf1.legacy.tf import distributions
from vae_tf1.legacy.tf.distributions import base as distribution_base
from vae_tf1.legacy.tf.distributions import tfp as distributions_tfp


def load(path):
    with np.load(path) as file:
        keys, values = file["keys"], file["values"]
    arrays, start = {}, 0
    for key in keys:
        text = key.decode() if isinstance(key, bytes) else str(key)  # bytes from Python 2
        name, shape = text.split(" ", 1)
        shape = ast.literal_eval(shape)
        size = math.prod(shape)
        arrays[name] = values[start : start + size].reshape(shape)
        start += size
    return arrays


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    path = tmp_path_factory.mktemp("distributions") / "ours.npz"
    done = run(SCRIPTS / "distributions_of_tf1.py", path)
    assert done.returncode == 0, done.stderr
    return load(path)


@pytest.fixture
def tf():
    with tensorflow1() as module:
        yield module


@pytest.fixture
def ds(tf):
    return tf.contrib.distributions


@pytest.fixture
def value(tf):
    """Return a function that computes tensors."""
    with tf.Session() as session:
        yield session.run


@pytest.mark.parametrize(("version", "least"), [("115", 270), ("012", 170)])
@pytest.mark.full
def test_log_probabilities_moments_shapes_and_divergences(golden_dir, ours, version, least):
    genuine = load(golden_dir / f"legacy_distributions_tf{version}.npz")
    assert len(genuine) >= least
    for key, expected in genuine.items():
        np.testing.assert_allclose(ours[key], expected, rtol=3e-5, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("what", ["bijectors", "distributions"])
@pytest.mark.full
def test_the_others_and_their_seeded_samples_are_those_of_tf115(
    golden_dir, tmp_path, monkeypatch, what
):
    """Held to what `scripts/bijectors_of_tf115.py` and its sibling write under TF 1.15.5."""
    script, output = SCRIPTS / f"{what}_of_tf115.py", tmp_path / "ours.npz"
    monkeypatch.setattr("sys.argv", [str(script), str(output)])
    with tensorflow1():
        runpy.run_path(str(script), run_name="__main__")
    with np.load(golden_dir / f"legacy_{what}_of_tf115.npz") as genuine, np.load(output) as ours:
        assert len(genuine) >= 240
        for key in genuine:
            np.testing.assert_allclose(
                ours[key], genuine[key], rtol=3e-5, atol=1e-6, err_msg=key, strict=True
            )


class TestBijectorsOfAScript:
    def test_up_to_tf_1_5_they_say_the_rank_of_their_events(self, tf, ds, value):
        class LeakyReLU(ds.bijectors.Bijector):
            def __init__(self, alpha):
                super().__init__(event_ndims=1, validate_args=False, name="leaky")
                self.alpha = alpha

            def _forward(self, x):
                return tf.where(tf.greater_equal(x, 0), x, self.alpha * x)

            def _inverse(self, y):
                return tf.where(tf.greater_equal(y, 0), y, 1.0 / self.alpha * y)

            def _inverse_log_det_jacobian(self, y):
                ones = tf.ones_like(y)
                slopes = tf.where(tf.greater_equal(y, 0), ones, 1.0 / self.alpha * ones)
                return tf.reduce_sum(tf.log(tf.abs(slopes)), axis=-1)

        base = ds.MultivariateNormalDiag(loc=tf.zeros([2]))
        leaky = LeakyReLU(0.5)
        chain = ds.bijectors.Chain([ds.bijectors.Affine(scale_diag=[2.0, 2.0]), leaky])
        found = ds.TransformedDistribution(base, chain).log_prob([[1.0, -1.0], [3.0, 2.0]])
        x = np.array([[0.5, -1.0], [1.5, 1.0]])
        slopes = np.log([2 * 1, 2 * 2])
        expected = scipy.stats.norm.logpdf(x).sum(1) - slopes
        np.testing.assert_allclose(value(found), expected, rtol=1e-6)
        np.testing.assert_allclose(
            value(leaky.inverse_log_det_jacobian([1.0, -1.0])), np.log(2), rtol=1e-6
        )

    def test_event_ndims_is_the_default_of_the_log_determinants(self, ds, value):
        exp = ds.bijectors.Exp(event_ndims=1)
        assert value(exp.forward_log_det_jacobian([1.0, 2.0])) == 3
        assert value(ds.bijectors.Exp().forward_log_det_jacobian([1.0, 2.0])).tolist() == [1, 2]
        scalar = ds.bijectors.Affine(shift=1.0, scale_identity_multiplier=2.0, event_ndims=0)
        assert value(scalar.forward(3.0)) == 7
        assert value(scalar.forward_log_det_jacobian(3.0)) == pytest.approx(math.log(2))

    def test_a_distribution_of_a_script_goes_into_a_mixture(self, tf, ds, value):
        class Shifted(tf.distributions.Normal):
            def _log_prob(self, x):
                return super()._log_prob(x) + 1.0

        mixture = ds.Mixture(
            ds.Categorical(probs=[0.5, 0.5]), [Shifted(0.0, 1.0), ds.Normal(0.0, 1.0)]
        )
        expected = scipy.stats.norm.logpdf(0.3) + math.log((math.e + 1) / 2)
        assert value(mixture.log_prob(0.3)) == pytest.approx(expected, rel=1e-6)
        assert value(mixture.sample(5, seed=1)).shape == (5,)


def test_a_flow_of_templates_learns_and_its_variables_have_the_names_of_then(tf, ds, value):
    tfb, x = ds.bijectors, np.random.default_rng(0).normal(3.0, 0.5, (64, 2)).astype("f")
    x[:, 1] = x[:, 0] + 0.1 * (x[:, 1] - 3)  # normalising each by itself does not see this
    template = tfb.masked_autoregressive_default_template(hidden_layers=[4])
    flow = tfb.Chain(
        [
            tfb.BatchNormalization(),
            tfb.Permute([1, 0]),
            tfb.MaskedAutoregressiveFlow(shift_and_log_scale_fn=template),
        ]
    )
    distribution = ds.TransformedDistribution(ds.MultivariateNormalDiag(tf.zeros([2])), flow)
    loss = -tf.reduce_mean(distribution.log_prob(x))
    train_op = tf.train.AdamOptimizer(0.05).minimize(loss)
    value(tf.global_variables_initializer())
    losses = [value([loss, train_op])[0] for _ in range(100)]
    assert losses[-1] < losses[0] - 0.5
    assert value(distribution.sample(7)).shape == (7, 2)
    assert {v.op.name for v in tf.trainable_variables()} == {
        "batch_normalization/gamma",
        "batch_normalization/beta",
        "masked_autoregressive_default_template/dense/kernel",
        "masked_autoregressive_default_template/dense/bias",
        "masked_autoregressive_default_template/dense_1/kernel",
        "masked_autoregressive_default_template/dense_1/bias",
    }


class TestAgainstFloat64:
    MU, SIGMA = np.array([0.5, -1.0, 2.0]), np.array([0.3, 1.0, 2.5])

    def test_normal(self, ds, value):
        normal, expected = ds.Normal(self.MU, self.SIGMA), scipy.stats.norm(self.MU, self.SIGMA)
        x = self.MU + 0.7
        np.testing.assert_allclose(value(normal.log_prob(x)), expected.logpdf(x), rtol=1e-12)
        np.testing.assert_allclose(value(normal.cdf(x)), expected.cdf(x), rtol=1e-12)
        np.testing.assert_allclose(value(normal.entropy()), expected.entropy(), rtol=1e-12)

    def test_kl_of_normals(self, ds, value):
        kl = ds.kl_divergence(ds.Normal(self.MU, self.SIGMA), ds.Normal(np.zeros(3), np.ones(3)))
        expected = -np.log(self.SIGMA) + 0.5 * (self.SIGMA**2 + self.MU**2) - 0.5
        np.testing.assert_allclose(value(kl), expected, rtol=1e-12)

    def test_kl_of_many_dimensions_is_the_sum(self, ds, value):
        a = ds.MultivariateNormalDiag(self.MU, self.SIGMA)
        b = ds.MultivariateNormalDiag(np.zeros(3), np.ones(3))
        expected = (-np.log(self.SIGMA) + 0.5 * (self.SIGMA**2 + self.MU**2) - 0.5).sum()
        assert value(ds.kl_divergence(a, b)) == pytest.approx(expected, rel=1e-12)

    def test_samples_have_the_moments(self, ds, value):
        drawn = value(ds.Normal(mu=self.MU, sigma=self.SIGMA).sample_n(40_000, seed=1))
        error = self.SIGMA / math.sqrt(len(drawn))
        assert (np.abs(drawn.mean(0) - self.MU) < 5 * error).all()
        np.testing.assert_allclose(drawn.std(0), self.SIGMA, rtol=0.03)
        bits = value(ds.Bernoulli(p=[0.1, 0.8]).sample_n(40_000, seed=1))
        np.testing.assert_allclose(bits.mean(0), [0.1, 0.8], atol=0.012)

    def test_a_reparameterised_sample_passes_gradients(self, tf, ds, value):
        mu, sigma = tf.constant(self.MU), tf.constant(self.SIGMA)
        z = ds.Normal(mu, sigma).sample()
        got = value([z, *tf.gradients(z, [mu, sigma])])
        np.testing.assert_allclose(got[1], 1.0)
        np.testing.assert_allclose(got[2], (got[0] - self.MU) / self.SIGMA, rtol=1e-9)


class TestOldSpelling:
    def test_both_spellings_are_one_class(self, tf, ds):
        assert ds.Normal is tf.distributions.Normal
        assert isinstance(ds.Normal(mu=0.0, sigma=1.0), tf.distributions.Distribution)

    def test_parameters_answer_to_their_old_names(self, ds, value):
        normal, bernoulli = ds.Normal(loc=1.0, scale=2.0), ds.Bernoulli(probs=0.25)
        assert value([normal.mu, normal.sigma, bernoulli.p]) == [1.0, 2.0, 0.25]
        assert value(ds.Gamma(alpha=3.0, beta=2.0).alpha) == 3.0
        assert value(ds.MultivariateNormalDiag(mu=[1.0], diag_stdev=[2.0]).mean()) == [1.0]

    def test_shapes_are_static_or_called(self, ds, value):
        normal = ds.Normal(mu=[[0.0, 1.0]], sigma=1.0)
        assert normal.batch_shape == [1, 2]
        assert normal.get_batch_shape().as_list() == [1, 2]
        assert value(normal.batch_shape()).tolist() == [1, 2]
        assert normal.event_shape.as_list() == []

    def test_what_is_continuous_and_reparameterised(self, ds):
        normal, bernoulli = ds.Normal(0.0, 1.0), ds.Bernoulli(0.0)
        assert (normal.is_continuous, normal.is_reparameterized) == (True, True)
        assert (bernoulli.is_continuous, bernoulli.is_reparameterized) == (False, False)

    def test_copy_takes_either_name(self, ds, value):
        softplus = ds.NormalWithSoftplusSigma(mu=0.0, sigma=0.0)
        copies = [softplus.copy(mu=3.0), softplus.copy(loc=3.0)]
        for copy in copies:
            assert value([copy.loc, copy.scale]) == pytest.approx([3.0, math.log(2)])

    def test_kl_fails_at_a_nan_unless_allowed(self, tf, ds, value):
        bad, good = ds.Normal(float("nan"), 1.0), ds.Normal(0.0, 1.0)
        assert np.isnan(value(ds.kl(bad, good, allow_nan=True)))
        assert np.isnan(value(ds.kl_divergence(bad, good)))
        with pytest.raises(tf.errors.InvalidArgumentError, match="NaN"):
            value(ds.kl(bad, good))


class TestTheOthers:
    def test_tensorflow_probability_is_imported_only_when_one_is_made(self, ds, monkeypatch):
        def fail():
            raise ImportError("no TensorFlow Probability here")

        for module in (distribution_base, distributions, distributions_tfp):
            monkeypatch.setattr(module, "tensorflow_probability", fail)
        normal = ds.Normal(0.0, 1.0)
        normal.kl_divergence(ds.Normal(mu=1.0, sigma=2.0))
        assert issubclass(ds.MultivariateNormalDiag, ds.Distribution)
        with pytest.raises(ImportError):
            ds.MultivariateNormalDiag([0.0], [1.0])

    def test_they_combine_with_the_first_twelve(self, ds, value):
        normal = ds.Normal([[0.0, 1.0]], [[1.0, 2.0]])
        independent = ds.Independent(normal, 1)
        expected = scipy.stats.norm([0, 1], [1, 2]).logpdf([0.5, 0.5]).sum()
        assert value(independent.log_prob([[0.5, 0.5]])) == pytest.approx([expected], rel=1e-6)
        unit = ds.Independent(ds.Normal([[0.0, 0.0]], [[1.0, 1.0]]), 1)
        kl = value(ds.kl_divergence(independent, unit))
        assert kl == pytest.approx([-math.log(2) + 0.5 * (4 + 1) - 0.5], rel=1e-6)
        assert independent.sample(3).shape == [3, 1, 2]

    def test_a_transformed_distribution_takes_a_shape(self, ds, value):
        log_normal = ds.TransformedDistribution(
            ds.Normal(0.0, 1.0), ds.bijectors.Exp(), event_shape=[2]
        )
        expected = scipy.stats.lognorm(1.0).logpdf([0.5, 2.0]).sum()
        assert value(log_normal.log_prob([0.5, 2.0])) == pytest.approx(expected, rel=1e-6)

    def test_gradients_pass_a_sample(self, tf, ds, value):
        scale = tf.constant([1.0, 2.0])
        z = ds.MultivariateNormalDiag(loc=tf.zeros([2]), scale_diag=scale).sample()
        z_, gradient = value([z, tf.gradients(z, scale)[0]])
        np.testing.assert_allclose(gradient, z_ / [1, 2], rtol=1e-5)


class TestBadInput:
    def test_one_sentence_says_what_is_wanted(self, ds):
        with pytest.raises(
            TypeError, match=r"no argument 'scal'; it takes loc, scale, .* mu, sigma"
        ):
            ds.Normal(mu=0.0, scal=1.0)
        with pytest.raises(TypeError, match="Normal needs scale"):
            ds.Normal(0.0)
        with pytest.raises(TypeError, match="given 'loc' twice"):
            ds.Normal(0.0, 1.0, mu=2.0)
        with pytest.raises(TypeError, match="takes 5 arguments, but got 6"):
            ds.Normal(0.0, 1.0, False, True, "n", 3)
        with pytest.raises(ValueError, match="give loc or scale_diag as well"):
            ds.MultivariateNormalDiag(scale_identity_multiplier=2.0)
        with pytest.raises(NotImplementedError, match="Normal and distribution_b type Gamma"):
            ds.kl_divergence(ds.Normal(0.0, 1.0), ds.Gamma(1.0, 1.0))

    def test_validate_args_checks_when_run(self, tf, ds, value):
        sigma = tf.placeholder_with_default(-1.0, [])
        normal = ds.Normal(mu=0.0, sigma=sigma, validate_args=True)
        with pytest.raises(tf.errors.InvalidArgumentError):
            value(normal.sigma)
