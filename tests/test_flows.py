"""Flows: log-determinants that are right, and posteriors and priors that train with them."""

import numpy as np
import pytest
import tensorflow as tf
from support.integrals import by_grid, by_importance, finite_differences, tamed
from support.kinds import full_except
from support.parts import costs_compiled_and_not, survives

from vae_tf1 import CheckpointError, Cubic, VariationalAutoencoder, flows, priors

D, M = 10, 2


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((60, D)) < 0.4).astype(np.float32)


def cubic():
    """Return the bijector (a x + b)³, whose critical point is among the codes."""
    return Cubic(tf.Variable(0.8), tf.Variable(0.3))


def chain():
    """Return a chain of the library with a constrained variable."""
    import tensorflow_probability as tfp

    scale = tfp.util.TransformedVariable(np.float32([1, 2]), tfp.bijectors.Softplus())
    shift = tf.Variable([0.1, -0.2], dtype=tf.float32)
    return tfp.bijectors.Chain([tfp.bijectors.Shift(shift), tfp.bijectors.ScaleMatvecDiag(scale)])


class Stretch:
    """A flow of one's own: scales the code by what the image's first mean says."""

    def forward(self, Z0, context):
        log_scale = 0.1 * tf.tanh(context[:, 0])
        return Z0 * tf.exp(log_scale)[:, None], M * log_scale


FLOWS = {
    "planar": lambda: flows.Planar(3),
    "inverse autoregressive": lambda: flows.InverseAutoregressive(2, hidden=[8, 7]),
    "without context": lambda: flows.InverseAutoregressive(2, hidden=[8], context=False, f="tanh"),
    "real nvp": lambda: flows.RealNVP(3, hidden=[8]),
    "cubic": cubic,
    "chain": chain,
    "of one's own": Stretch,
}
OWN = {"cubic", "chain", "of one's own"}


def model(name, **options):
    return VariationalAutoencoder(D, [6, M], flow=FLOWS[name](), **{"seed": 1, **options})


def built(flow, M, context=0, seed=0):
    """Return a flow with random variables, in eager mode."""
    rng = np.random.default_rng(seed)
    flow.build(M, lambda: tuple(rng.integers(0, 9, 2)), context)
    for variable in flow.variables:
        variable.assign(rng.normal(size=variable.shape) * 0.7)
    return flow


READY = [
    lambda: flows.Planar(4),
    lambda: flows.InverseAutoregressive(2, hidden=[5, 6]),
    lambda: flows.MaskedAutoregressive(2, hidden=[5]),
    lambda: flows.RealNVP(3, hidden=[5]),
]


@pytest.mark.eager
@pytest.mark.parametrize("make", READY)
@pytest.mark.parametrize("size", full_except([2, 5], 5))
def test_the_log_determinant_is_that_of_the_jacobian(make, size):
    rng = np.random.default_rng(1)
    flow = built(make(), size, context=2 * size)
    Z0, context = (
        tf.constant(rng.normal(size=(6, size))),
        tf.constant(rng.normal(size=(6, 2 * size))),
    )
    with tf.GradientTape() as tape:
        tape.watch(Z0)
        Z, log_det = flow.forward(Z0, context)
    jacobian = tape.batch_jacobian(Z, Z0).numpy()
    np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], rtol=1e-9, atol=1e-9)
    assert np.abs(log_det).max() > 0.05
    if hasattr(flow, "inverse"):
        back, inverse_log_det = flow.inverse(Z, context)
        np.testing.assert_allclose(back, Z0, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(inverse_log_det, -log_det.numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.eager
@pytest.mark.parametrize("make", full_except(READY, READY[0]))
def test_gradients_are_those_of_finite_differences(make):
    rng = np.random.default_rng(2)
    flow = built(make(), 3, context=6)
    context = tf.constant(rng.normal(size=(2, 6)))
    value = rng.normal(size=(2, 3))

    def log_density(Z0):
        Z, log_det = flow.forward(Z0, context)
        return tf.reduce_sum(-0.5 * Z**2) + tf.reduce_sum(log_det)

    Z0 = tf.constant(value)
    with tf.GradientTape() as tape:
        tape.watch(Z0)
        total = log_density(Z0)
    expected = finite_differences(lambda v: float(log_density(tf.constant(v))), value)
    np.testing.assert_allclose(tape.gradient(total, Z0), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.eager
def test_the_autoregressive_networks_look_only_at_earlier_units():
    flow = built(flows.InverseAutoregressive(1, hidden=[9, 9], f="tanh"), 4)
    Z0 = tf.constant(np.random.default_rng(0).normal(size=(1, 4)))
    with tf.GradientTape() as tape:
        tape.watch(Z0)
        Z, _ = flow.forward(Z0, None)
    jacobian = tape.batch_jacobian(Z, Z0)[0].numpy()
    np.testing.assert_array_equal(np.triu(jacobian, 1), 0)
    assert np.all(jacobian[np.tril_indices(4)] != 0)


# In the model ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", full_except(FLOWS, "planar", "of one's own"))
def test_the_integral_over_the_code_is_what_importance_sampling_estimates(name, X):
    with tamed(model(name), spread=0.2) as vae:
        expected = by_grid(vae, X[:4])
        error = by_importance(vae, X[:4]) - expected
        assert abs(error.mean()) < 0.05
        error = vae.log_likelihood(X[:4], 20_000, progress=False) - expected
    assert abs(error.mean()) < 0.05


@pytest.mark.repeats
@pytest.mark.parametrize("name", full_except(FLOWS, "planar"))
def test_training_is_the_same_compiled_and_not(name, X):
    costs = costs_compiled_and_not(lambda: model(name), X)
    np.testing.assert_allclose(*costs, rtol=1e-4)


@pytest.mark.repeats
@pytest.mark.parametrize("name", full_except(FLOWS, "planar"))
def test_it_is_resumed_saved_and_loaded(name, X, tmp_path):
    again = {"flow": FLOWS[name]()} if name in OWN else {}
    survives(lambda: model(name), X, tmp_path, **again)


def test_z_is_the_flows_output_and_means_and_stddev_are_its_bases(X):
    with tamed(model("planar")) as vae:
        assert vae.kl == "monte_carlo"
        epsilon = np.random.default_rng(1).normal(size=(60, M)).astype(np.float32)
        fetches = (vae.means, vae.stddev, vae.Z, vae.codes)
        means, stddev, Z, codes = vae.sess.run(fetches, {vae.X: X, vae.epsilon: epsilon})
        with vae.graph.as_default():
            mapped, _ = vae.flow.forward(vae.Z_input, None)
        base = means + stddev * epsilon
        np.testing.assert_allclose(vae.sess.run(mapped, {vae.Z_input: base}), Z, rtol=1e-5)
        np.testing.assert_allclose(vae.sess.run(mapped, {vae.Z_input: means}), codes, rtol=1e-5)
        np.testing.assert_allclose(vae.transform(X), codes, rtol=1e-5)
        decoded = vae.prior_predictive_with_input(codes)
        np.testing.assert_allclose(vae.reconstruct(X), decoded, rtol=1e-5)


@pytest.mark.full
def test_all_parts_work_together(X, tmp_path):
    def build():
        return VariationalAutoencoder(
            D,
            [6, M],
            flow=flows.Planar(2),
            prior=priors.Mixture(2),
            likelihood="continuous_bernoulli",
            seed=4,
        )

    survives(build, X, tmp_path)


class TestRefused:
    @pytest.mark.parametrize(
        ("flow", "M", "error", "message"),
        [
            (3, 2, TypeError, "flow must be one of vae_tf1.flows, a bijector"),
            (flows.Planar, 2, TypeError, "flow must be an object, not the class Planar"),
            (flows.RealNVP(2), 1, ValueError, "RealNVP needs a code of at least 2 units"),
            (lambda: 3, 2, TypeError, "flow must return a bijector, not 3"),
        ],
    )
    def test_what_is_no_flow(self, flow, M, error, message):
        with pytest.raises(error, match=message):
            VariationalAutoencoder(D, [M], flow=flow)

    def test_a_bijector_of_another_size(self):
        with pytest.raises(ValueError, match="the flow does not take codes of M = 3 units"):
            VariationalAutoencoder(D, [3], flow=chain())

    def test_a_flow_of_another_size(self):
        class Wrong:
            def forward(self, Z0, context):
                return Z0[:, :1], Z0[:, 0]

        with pytest.raises(ValueError, match=r"the flow must map codes of shape \(B, 2\)"):
            VariationalAutoencoder(D, [M], flow=Wrong())

    @pytest.mark.parametrize(
        "make",
        [
            lambda: flows.Planar(0),
            lambda: flows.RealNVP(hidden=[]),
            lambda: flows.RealNVP(hidden=4),
            lambda: flows.RealNVP(f="sin"),
        ],
    )
    def test_arguments_out_of_range(self, make):
        with pytest.raises((TypeError, ValueError), match=r"must be|is empty"):
            make()

    def test_a_bijector_must_be_passed_again(self, tmp_path):
        with model("cubic") as vae:
            vae.save(tmp_path / "a")
        with pytest.raises(CheckpointError, match=r"your own flow \(Cubic\): pass it again"):
            VariationalAutoencoder.load(tmp_path / "a")
