"""The ELBO, variables with a posterior, VIMCO and Monte Carlo of `tf.contrib.bayesflow`."""

import math

import numpy as np
import pytest
import scipy.stats

from vae_tf1.legacy import tensorflow1

MU, SIGMA = np.array([[0.5, -1.0], [2.0, 0.0]], np.float32), np.float32(0.7)
KL = -math.log(0.7) + 0.5 * (0.7**2 + MU.astype(np.float64) ** 2) - 0.5  # to the unit normal


@pytest.fixture
def tf():
    with tensorflow1() as module:
        yield module


@pytest.fixture
def bf(tf):
    return tf.contrib.bayesflow


@pytest.fixture
def ds(tf):
    return tf.contrib.distributions


@pytest.fixture
def value(tf):
    with tf.Session() as session:
        yield session.run


class TestElbo:
    @pytest.fixture
    def model(self, tf, bf, ds):
        z = bf.stochastic_tensor.StochasticTensor(ds.Normal(MU, SIGMA))
        prior = ds.Normal(0.0, 1.0)
        bf.variational_inference.register_prior(z, prior)
        return z, prior, ds.Normal(z, 1.0).log_prob(0.3)

    def test_by_default_the_kl_has_its_closed_form(self, bf, model, value):
        _, _, log_likelihood = model
        got = value([bf.variational_inference.elbo(log_likelihood), log_likelihood])
        np.testing.assert_allclose(got[0], got[1] - KL, rtol=1e-5, atol=1e-6)

    def test_the_other_forms(self, bf, model, value):
        vi = bf.variational_inference
        z, prior, log_likelihood = model
        forms = vi.ELBOForms.analytic_entropy, vi.ELBOForms.sample
        got = value(
            [z, log_likelihood, *(vi.elbo(log_likelihood, {z: prior}, form=f) for f in forms)]
        )
        log_p = scipy.stats.norm.logpdf(got[0])
        entropy = scipy.stats.norm(MU, SIGMA).entropy()
        np.testing.assert_allclose(got[2], got[1] + log_p + entropy, rtol=1e-5)
        log_q = scipy.stats.norm(MU, SIGMA).logpdf(got[0])
        np.testing.assert_allclose(got[3], got[1] + log_p - log_q, rtol=1e-5, atol=1e-6)

    def test_of_the_joint(self, bf, model, value):
        vi = bf.variational_inference
        z, prior, log_likelihood = model
        joint = log_likelihood + prior.log_prob(z)
        got = value([vi.elbo_with_log_joint(joint), joint])
        entropy = scipy.stats.norm(MU, SIGMA).entropy()
        np.testing.assert_allclose(got[0], got[1] + entropy, rtol=1e-5)
        with pytest.raises(ValueError, match="needs the prior"):
            vi.elbo_with_log_joint(joint, form=vi.ELBOForms.analytic_kl)

    def test_one_z_for_all_examples(self, bf, model, value):
        bound = bf.variational_inference.elbo(model[2], keep_batch_dim=False)
        got = value([bound, model[2]])
        np.testing.assert_allclose(got[0], got[1] - KL.sum(), rtol=1e-5)

    def test_what_is_missing_is_said(self, tf, bf, ds):
        vi = bf.variational_inference
        z = bf.stochastic_tensor.StochasticTensor(ds.Normal(MU, SIGMA))
        with pytest.raises(ValueError, match="No prior is registered for StochasticTensor"):
            vi.elbo(z * 2.0)
        with pytest.raises(ValueError, match="No stochastic tensor is upstream"):
            vi.elbo(tf.constant([1.0]))
        with pytest.raises(TypeError, match="must be a Distribution"):
            vi.register_prior(z, 3.0)


class TestStochasticVariables:
    @pytest.mark.parametrize(
        ("names", "initializers"),
        [(("loc", "scale"), {}), (("mu", "sigma"), {"mu": np.ones((2, 3), np.float32)})],
    )
    def test_each_parameter_is_a_variable(self, tf, bf, ds, value, names, initializers):
        sv = bf.stochastic_variables
        getter = sv.make_stochastic_variable_getter(
            ds.NormalWithSoftplusScale,
            param_initializers=initializers,
            prior=lambda shape, dtype: ds.Normal(tf.zeros(shape, dtype), 1.0),
        )
        with tf.variable_scope("layer", custom_getter=getter):
            w = tf.get_variable("w", [2, 3], initializer=tf.zeros_initializer())
        assert {v.op.name for v in tf.trainable_variables()} == {f"layer/w_{n}" for n in names}
        assert tf.convert_to_tensor(w).shape == [2, 3]
        bound = bf.variational_inference.elbo(tf.reduce_sum(w), keep_batch_dim=False)
        value(tf.global_variables_initializer())
        got = value([bound, w])
        mean, stddev = (1.0 if initializers else 0.0), math.log(2)
        kl = 6 * (-math.log(stddev) + 0.5 * (stddev**2 + mean**2) - 0.5)
        assert got[0] == pytest.approx(got[1].sum() - kl, rel=1e-4)


class TestEstimators:
    def test_vimco_is_equation_9(self, tf, bf, value):
        f = np.array([[1.0, 1.5], [1e-6, 1e4], [2.0, 3.0]])
        expected = np.empty_like(f)
        for j in range(3):
            others = np.delete(f, j, 0)
            replaced = np.append(others, [scipy.stats.gmean(others)], 0)
            expected[j] = np.log(f.mean(0)) - np.log(replaced.mean(0))
        estimators = bf.stochastic_gradient_estimators
        loss = tf.constant(np.log(f))
        of_log = estimators.get_vimco_advantage_fn(have_log_loss=True)(None, loss)
        of_loss = estimators.get_vimco_advantage_fn()(None, tf.constant(f))
        for got in value([of_log, of_loss]):
            np.testing.assert_allclose(got, expected, rtol=1e-9)
        assert np.isfinite(value(tf.gradients(of_log, loss)[0])).all()

    def test_the_score_is_weighted_with_the_advantage(self, tf, bf, ds, value):
        loss_fn = bf.stochastic_gradient_estimators.get_score_function_with_advantage(
            lambda _, loss: loss - 1.0
        )
        z = bf.stochastic_tensor.StochasticTensor(ds.Bernoulli(probs=[0.2]), loss_fn=loss_fn)
        got = value([z.loss(tf.constant([3.0])), z])
        log_p = math.log(0.2 if got[1][0] else 0.8)
        assert got[0] == pytest.approx([2 * log_p], rel=1e-5)

    def test_a_class_that_says_it_is_not_reparameterised_has_a_score_term(self, tf, bf, ds, value):
        class Normal(ds.Normal):
            is_reparameterized = False

        mu = tf.constant([0.5])
        z = bf.stochastic_tensor.StochasticTensor(Normal(mu, 1.0))
        loss = bf.stochastic_graph.surrogate_loss([tf.identity(z) * 0.0 + 2.0])
        got = value([tf.gradients(loss, mu)[0], z])
        np.testing.assert_allclose(got[0], 2 * (got[1] - 0.5), rtol=1e-5)


def test_monte_carlo(tf, bf, ds, value):
    mc = bf.monte_carlo
    p, q = ds.Normal(0.5, 0.8), ds.Normal(0.0, 1.0)
    mean = mc.expectation_importance_sampler(lambda z: z, p.log_prob, q, n=20_000, seed=1)
    log_square = mc.expectation_importance_sampler_logspace(
        lambda z: tf.log(z * z), p.log_prob, q, n=20_000, seed=1
    )
    samples = q.sample(20_000, seed=1)
    plain = mc.expectation(lambda z: z * z, samples)
    scored = mc.expectation(lambda z: z * z, samples, q.log_prob, use_reparametrization=False)
    got = value([mean, log_square, plain, scored])
    assert got == pytest.approx([0.5, math.log(0.5**2 + 0.8**2), 1.0, 1.0], abs=0.05)
    with pytest.raises(ValueError, match="Exactly one of n and z"):
        mc.expectation_importance_sampler(lambda z: z, p.log_prob, q)
