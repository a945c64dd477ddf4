"""Stochastic tensors: a distribution whose sample is usable wherever a tensor is.

What a genuine TensorFlow 1.4.1 accepts (`tensor * Z`, `tf.matmul(Z, …)`, `tf.concat([Z], 0)`) works
here too, and so does what it refused: `Z * 2`, `Z[0]`, `session.run(Z)`.
"""

import numpy as np
import pytest

from vae_tf1.legacy import tensorflow1

MU = np.array([[0.5, -1.0], [2.0, 0.0]], np.float32)
SIGMA = np.array([[0.3, 1.0], [2.5, 0.7]], np.float32)


@pytest.fixture
def tf():
    with tensorflow1() as module:
        yield module


@pytest.fixture
def st(tf):
    return tf.contrib.bayesflow.stochastic_tensor


@pytest.fixture
def sg(tf):
    return tf.contrib.bayesflow.stochastic_graph


@pytest.fixture
def normal(tf):
    return tf.contrib.distributions.Normal


@pytest.fixture
def value(tf):
    with tf.Session() as session:
        yield session.run


def log_normal(z, mu, sigma):
    return -0.5 * ((z - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)


class TestTheCourseScript:
    """Seed behaviour: `Z.distribution` gives the KL of the branch without stochastic tensors."""

    def test_its_kl_is_that_of_the_other_branch(self, tf, st, normal, value, golden_small):
        means, stddev = golden_small["step0_means"], golden_small["step0_stddev"]
        with st.value_type(st.SampleValue()):
            z = st.StochasticTensor(normal(loc=means, scale=stddev))
        prior = normal(loc=np.zeros(means.shape[1], "f"), scale=np.ones(means.shape[1], "f"))
        kl = tf.reduce_sum(tf.contrib.distributions.kl_divergence(z.distribution, prior), 1)
        m, s = means.astype(np.float64), stddev.astype(np.float64)
        other_branch = (-np.log(s) + 0.5 * (s**2 + m**2) - 0.5).sum(1)
        np.testing.assert_allclose(value(kl), other_branch, rtol=2e-6)

    def test_its_elbo_is_the_golden_one_at_the_golden_sample(
        self, tf, st, normal, value, golden_small
    ):
        g = golden_small
        z = st.StochasticTensor(normal(loc=g["step0_means"], scale=g["step0_stddev"]))
        prior = normal(np.zeros(4, "f"), np.ones(4, "f"))
        kl = tf.reduce_sum(tf.contrib.distributions.kl_divergence(z.distribution, prior), 1)
        hidden = z
        layers = len(g["sizes"])
        for i in range(layers, 2 * layers):
            W, b = g[f"init_W{i}"], g[f"init_b{i}"]
            hidden = tf.matmul(hidden, W) + b
            hidden = tf.nn.relu(hidden) if i < 2 * layers - 1 else hidden
        likelihood = tf.contrib.distributions.Bernoulli(logits=hidden)
        x = g["X"][0].astype(np.float32)
        elbo = tf.reduce_sum(tf.reduce_sum(likelihood.log_prob(x), 1) - kl)
        with tf.Session() as session:
            got = session.run(elbo, {z: g["step0_Z"]})  # a stochastic tensor can be fed as well
        assert got == pytest.approx(g["elbo"][0], rel=3e-7)


class TestValue:
    def test_it_is_drawn_once_a_run(self, st, normal, value):
        z = st.StochasticTensor(normal(MU, SIGMA))
        first, second, again = value([z, z + 0.0, z.value()])
        assert (first == second).all()
        assert (first == again).all()
        assert not (value(z) == first).all()

    def test_gradients_pass_through_the_sample(self, tf, st, normal, value):
        mu, sigma = tf.constant(MU), tf.constant(SIGMA)
        z = st.StochasticTensor(normal(loc=mu, scale=sigma))
        z_, by_mu, by_sigma = value([z, *tf.gradients(tf.reduce_sum(tf.square(z)), [mu, sigma])])
        np.testing.assert_allclose(by_mu, 2 * z_, rtol=1e-5)
        np.testing.assert_allclose(by_sigma, 2 * z_ * (z_ - MU) / SIGMA, rtol=1e-4, atol=1e-5)

    def test_moments(self, st, normal, value):
        z = value(st.StochasticTensor(normal(MU, SIGMA), dist_value_type=st.SampleValue(20_000)))
        assert (np.abs(z.mean(0) - MU) < 5 * SIGMA / np.sqrt(len(z))).all()
        np.testing.assert_allclose(z.std(0), SIGMA, rtol=0.04)

    @pytest.mark.parametrize(
        ("value_type", "shape"),
        [
            ("SampleValue()", [2, 2]),
            ("SampleValue(4)", [4, 2, 2]),
            ("SampleValue((4, 3))", [4, 3, 2, 2]),
            ("SampleValue(n=4)", [4, 2, 2]),
            ("SampleAndReshapeValue()", [2, 2]),
            ("SampleAndReshapeValue(n=3)", [6, 2]),
            ("MeanValue()", [2, 2]),
        ],
    )
    def test_shape(self, st, normal, value, value_type, shape):
        with st.value_type(eval(f"st.{value_type}")):
            z = st.StochasticTensor(normal(MU, SIGMA))
        assert z.get_shape().as_list() == shape
        assert value(z).shape == tuple(shape)

    def test_samples_are_joined_in_order(self, tf, st, normal, value):
        with st.value_type(st.SampleAndReshapeValue(n=3)):
            z = st.StochasticTensor(normal(MU, 1e-6 * SIGMA))
        np.testing.assert_allclose(value(z), np.tile(MU, (3, 1)), atol=1e-4)

    def test_the_batch_need_not_be_known(self, tf, st, normal):
        mu = tf.placeholder(tf.float32, [None, 2])
        with st.value_type(st.SampleAndReshapeValue(n=3)):
            z = st.StochasticTensor(normal(mu, 1.0))
        assert z.get_shape().as_list() == [None, 2]
        with tf.Session() as session:
            assert session.run(z, {mu: MU}).shape == (6, 2)

    def test_the_mean(self, st, normal, value):
        with st.value_type(st.MeanValue()):
            z = st.StochasticTensor(normal(MU, SIGMA))
        np.testing.assert_array_equal(value(z), MU)
        np.testing.assert_array_equal(value(z.mean()), MU)
        np.testing.assert_allclose(
            value(z.entropy()), 0.5 * np.log(2 * np.pi * np.e * SIGMA**2), rtol=1e-6
        )

    def test_stop_gradient(self, tf, st, normal):
        mu = tf.constant(MU)
        for stopped in (st.SampleValue(stop_gradient=True), st.MeanValue(stop_gradient=True)):
            with st.value_type(stopped):
                z = st.StochasticTensor(normal(mu, SIGMA))
            assert tf.gradients(tf.identity(z), mu) == [None]

    def test_value_types_nest_and_end(self, st, normal):
        with st.value_type(st.MeanValue()):
            with st.value_type(st.SampleValue(3)):
                inner = st.StochasticTensor(normal(MU, SIGMA))
            outer = st.StochasticTensor(normal(MU, SIGMA))
        assert isinstance(inner.value_type, st.SampleValue)
        assert isinstance(outer.value_type, st.MeanValue)
        with pytest.raises(st.NoValueTypeSetError, match="No value type is set"):
            st.get_current_value_type()
        with pytest.raises(KeyError), st.value_type(st.MeanValue()):
            raise KeyError
        with pytest.raises(st.NoValueTypeSetError):
            st.get_current_value_type()


class TestInPlaceOfATensor:
    def test_arithmetic_on_either_side(self, tf, st, normal, value):
        z = st.StochasticTensor(normal(MU, SIGMA))
        c = tf.constant(MU)
        expressions = [z * 2, 2 * z, z + c, c - z, z / 2, -z, z**2, MU * z, z - MU, z[0], z * z]
        z_, *got = value([z, *expressions])
        wanted = [
            2 * z_,
            2 * z_,
            z_ + MU,
            MU - z_,
            z_ / 2,
            -z_,
            z_**2,
            MU * z_,
            z_ - MU,
            z_[0],
            z_**2,
        ]
        for g, w in zip(got, wanted, strict=True):
            np.testing.assert_allclose(g, w, rtol=1e-6)
        assert value(z < 100.0).all()

    def test_ops_and_layers(self, tf, st, normal, value):
        z = st.StochasticTensor(normal(MU, SIGMA))
        made = [
            tf.matmul(z, tf.ones([2, 3])),
            tf.concat([z, z], 1),
            tf.concat(1, [z, z]),
            tf.pack([z, z]),
            tf.convert_to_tensor(z),
            tf.cast(z, tf.float64),
            tf.nn.softplus(z),
            tf.reshape(z, [-1]),
            tf.layers.dense(z, 3),
            tf.contrib.layers.fully_connected(z, 3),
            normal(z, 1.0).log_prob(MU),
            tf.contrib.distributions.Bernoulli(logits=z).sample(),
        ]
        shapes = [[2, 3], [2, 4], [2, 4], [2, 2, 2], [2, 2], [2, 2], [2, 2], [4], [2, 3], [2, 3],
                  [2, 2], [2, 2]]  # fmt: skip
        assert [t.shape.as_list() for t in made] == shapes

    def test_a_wrong_type_is_refused_as_for_a_tensor(self, tf, st, normal):
        with pytest.raises(ValueError, match="float64"):
            tf.convert_to_tensor(st.StochasticTensor(normal(MU, SIGMA)), dtype=tf.float64)

    def test_fetching_in_structures_and_eval(self, tf, st, normal):
        z = st.StochasticTensor(normal(MU, SIGMA))
        with tf.Session() as session:
            got = session.run({"z": z, "both": [z, z.distribution.scale]})
            assert (got["z"] == got["both"][0]).all()
            assert z.eval().shape == (2, 2)

    def test_equality_is_identity_as_for_tensors_of_tf1(self, st, normal):
        z = st.StochasticTensor(normal(MU, SIGMA))
        assert z == z
        assert len({z, z}) == 1

    def test_its_properties(self, tf, st, normal):
        dist = normal(MU, SIGMA)
        z = st.StochasticTensor(dist, name="latent")
        assert z.distribution is dist
        assert z.name == "latent/"
        assert (z.dtype, z.graph) == (tf.float32, tf.get_default_graph())


class TestOldSpelling:
    def test_class_and_parameters(self, st, sg, normal, value):
        for make in (st.StochasticTensor, sg.StochasticTensor, sg.DistributionTensor):
            z = make(normal, mu=MU, sigma=SIGMA, name="z")
            np.testing.assert_array_equal(value(z.distribution.sigma), SIGMA)
        z = st.NormalTensor(mu=MU, sigma=SIGMA)
        assert isinstance(z, st.StochasticTensor)
        assert isinstance(z.distribution, normal)

    def test_all_of_it_was_once_in_stochastic_graph(self, st, sg):
        for name in ("value_type", "SampleValue", "MeanValue", "SampleAndReshapeValue"):
            assert getattr(sg, name) is getattr(st, name)


class TestSurrogateLoss:
    def test_the_score_function_stands_in_where_no_gradient_passes(self, tf, st, sg, value):
        logits = tf.constant([0.3, -1.0, 2.0])
        bits = st.StochasticTensor(tf.contrib.distributions.Bernoulli(logits, dtype=tf.float32))
        loss = tf.square(bits - 0.25)
        surrogate = sg.surrogate_loss([loss])
        b, gradient = value([bits, tf.gradients(surrogate, logits)[0]])
        p = 1 / (1 + np.exp(-np.array([0.3, -1.0, 2.0])))
        np.testing.assert_allclose(gradient, (b - p) * (b - 0.25) ** 2, rtol=1e-5)
        assert tf.gradients(loss, logits) == [None]

    def test_its_gradient_is_unbiased(self, tf, st, sg, value):
        logit, n = tf.constant(0.4), 60_000
        bits = st.StochasticTensor(
            tf.contrib.distributions.Bernoulli(tf.fill([n], logit), dtype=tf.float32)
        )
        surrogate = sg.surrogate_loss([3.0 * bits + 1.0])
        estimate = value(tf.gradients(tf.reduce_mean(surrogate), logit)[0])
        p = 1 / (1 + np.exp(-0.4))
        assert estimate == pytest.approx(3 * p * (1 - p), rel=0.05)

    def test_a_baseline_is_subtracted(self, tf, st, sg, value):
        estimators = tf.contrib.bayesflow.stochastic_gradient_estimators
        logits = tf.constant([0.3, -1.0])
        bits = st.StochasticTensor(
            tf.contrib.distributions.Bernoulli(logits, dtype=tf.float32),
            loss_fn=estimators.get_score_function_with_constant_baseline(2.0),
        )
        b, gradient = value([bits, tf.gradients(sg.surrogate_loss([bits * 5]), logits)[0]])
        p = 1 / (1 + np.exp(-np.array([0.3, -1.0])))
        np.testing.assert_allclose(gradient, (b - p) * (b * 5 - 2), rtol=1e-5)

    def test_a_reparameterised_value_adds_nothing(self, tf, st, sg, normal, value):
        z = st.StochasticTensor(normal(MU, SIGMA))
        loss = tf.square(z)
        assert z.loss(loss) is None
        a, b = value([sg.surrogate_loss([loss]), loss])
        np.testing.assert_array_equal(a, b)

    def test_a_stopped_value_has_the_score_of_its_parameters(self, tf, st, sg, normal, value):
        mu = tf.constant(MU)
        with st.value_type(st.SampleValue(stop_gradient=True)):
            z = st.StochasticTensor(normal(mu, SIGMA))
        surrogate = sg.surrogate_loss([tf.square(z)])
        z_, s, gradient = value([z, surrogate, tf.gradients(surrogate, mu)[0]])
        np.testing.assert_allclose(s, z_**2 * (1 + log_normal(z_, MU, SIGMA)), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(gradient, (z_ - MU) / SIGMA**2 * z_**2, rtol=1e-3, atol=1e-4)

    def test_bad_calls(self, tf, st, sg, normal):
        z = st.StochasticTensor(normal(MU, SIGMA))
        with pytest.raises(TypeError, match="list of tensors"):
            sg.surrogate_loss(tf.square(z))
        with pytest.raises(ValueError, match="axis of examples"):
            sg.surrogate_loss([tf.reduce_sum(z)])


class TestBadInput:
    def test_one_sentence_says_what_is_wanted(self, tf, st, normal):
        with pytest.raises(TypeError, match=r"takes a distribution, or the class of one"):
            st.StochasticTensor(tf.constant(1.0))
        with pytest.raises(TypeError, match="and mu"):
            st.StochasticTensor(normal(0.0, 1.0), mu=1.0)
        with pytest.raises(TypeError, match="SampleValue"), st.value_type(st.SampleValue):
            pass
        with pytest.raises(TypeError, match="loss_fn must be a function"):
            st.StochasticTensor(normal(0.0, 1.0), loss_fn=3)
        with (
            pytest.raises(ValueError, match="this one is a scalar"),
            st.value_type(st.SampleAndReshapeValue(2)),
        ):
            st.StochasticTensor(normal(0.0, 1.0))

    def test_observed_values_must_fit(self, tf, st, normal, value):
        observed = st.ObservedStochasticTensor(normal(MU, SIGMA), MU)
        np.testing.assert_array_equal(value(observed), MU)
        with pytest.raises(ValueError, match=r"shape \(3,\) does not fit .* \(2, 2\)"):
            st.ObservedStochasticTensor(normal(MU, SIGMA), np.zeros(3, "f"))
        with pytest.raises(ValueError, match="is float64, but the distribution gives float32"):
            st.ObservedStochasticTensor(normal(MU, SIGMA), MU.astype(np.float64))
