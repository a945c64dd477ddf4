"""The Gaussian layer against the golden layer, closed forms, Keras and sessions."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from matplotlib.figure import Figure
from support.prob_modes import TOLERANCE, both_modes, both_types

from vae_tf1 import BaseDistribution, Gaussian, VariationalAutoencoder, kl_divergence_gaussians

PRIORS = [(0.0, 1.0), (0.5, 2.0), (-3.0, 0.01)]
each_prior = pytest.mark.parametrize("prior", range(3), ids=["standard", "wide", "narrow"])


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "probability.npz") as file:
        return dict(file)


@both_modes
@both_types
@each_prior
def test_every_method_gives_the_golden_layers_numbers(run, dtype, prior, golden):
    key = f"gauss{prior}_"
    mean, log_var = golden[key + "mean"].astype(dtype), golden[key + "log_var"].astype(dtype)
    layer = Gaussian(*golden[key + "prior"])

    def every_method(mean, log_var):
        return {
            "kl": layer.KL_divergence(mean, log_var),
            "deviation": layer.log_var_to_deviation(log_var),
            "variance": layer.variance(log_var),
        }

    for name, value in run(every_method, mean, log_var).items():
        assert value.dtype == dtype
        np.testing.assert_allclose(value, golden[key + name], rtol=2e-6, atol=2e-6)

    x = golden[key + "pdf_x"]
    density = run(lambda x: layer.prob_density_fcn(x, 0.7, 0.3), x.astype(dtype))
    np.testing.assert_allclose(density, golden[key + "pdf"], rtol=4 * TOLERANCE[dtype], atol=1e-30)
    np.testing.assert_allclose(layer.prob_density_fcn(x, 0.7, 0.3), golden[key + "pdf"], rtol=1e-13)
    scale = run(layer.variance_to_log_scale, np.array([0.3], dtype))
    np.testing.assert_allclose(scale, [golden[key + "log_scale"]], rtol=1e-6)


def test_numbers_and_arrays_go_in_as_well():
    layer = Gaussian(1, np.float32(4))
    assert (layer.prior_mean, layer.prior_variance, layer.prior_deviation) == (1.0, 4.0, 2.0)
    assert type(layer.prior_deviation) is float
    assert layer.KL_divergence(1.0, np.log(4.0)).numpy() == pytest.approx(0, abs=1e-7)
    assert layer.KL_divergence(np.zeros(3), np.zeros(3)).dtype == tf.float64
    assert layer.KL_divergence(0, tf.zeros(3, tf.float64)).dtype == tf.float64
    assert isinstance(layer.variance(np.zeros(3)), np.ndarray)
    assert layer.prob_density_fcn([0, 1], 0, 1)[0] == pytest.approx(scipy.stats.norm.pdf(0))
    assert tf.is_tensor(layer.prob_density_fcn(np.zeros(3), tf.zeros(3), 1.0))


@both_modes
@both_types
def test_samples_have_the_asked_mean_and_deviation(run, dtype):
    mean = np.array([-2.0, 0.0, 5.0], dtype)
    log_var = np.array([-4.0, 0.0, 3.0], dtype)
    rows = np.ones((20_000, 1), dtype)
    z = run(lambda *inputs: Gaussian()(inputs), rows * mean, rows * log_var)
    assert z.shape == (20_000, 3)
    assert z.dtype == dtype
    standardised = (z - mean) / np.exp(log_var / 2)
    assert np.abs(standardised.mean(axis=0)).max() < 5 / np.sqrt(20_000)
    assert scipy.stats.kstest(standardised.ravel(), "norm").pvalue > 1e-6
    assert np.abs(np.corrcoef(standardised.T) - np.eye(3)).max() < 0.04


@both_types
def test_one_graph_serves_batches_of_any_size_with_fresh_noise(dtype):
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        z_mean = tf.compat.v1.placeholder(dtype, (None, 2))
        z_log_var = tf.compat.v1.placeholder(dtype, (None, None))
        z = Gaussian()((z_mean, z_log_var))
        assert z.shape.as_list() == [None, 2]
        for batch in (1, 7):
            feed = {z_mean: np.zeros((batch, 2)), z_log_var: np.zeros((batch, 2))}
            once, again = sess.run(z, feed), sess.run(z, feed)
            assert once.shape == (batch, 2)
            assert np.all(once != again)


def test_samples_are_reparameterised():
    mean, log_var = tf.constant([[1.0, 2.0]]), tf.constant([[0.5, -3.0]])
    with tf.GradientTape() as tape:
        tape.watch((mean, log_var))
        z = Gaussian()((mean, log_var))
    by_mean, by_log_var = tape.gradient(z, (mean, log_var))
    np.testing.assert_array_equal(by_mean, [[1, 1]])
    np.testing.assert_allclose(by_log_var, (z - mean) / 2, rtol=1e-5)


@both_modes
@both_types
@each_prior
def test_divergence_is_finite_with_its_gradient_for_any_variance(run, dtype, prior):
    m0, v0 = PRIORS[prior]
    log_var = np.linspace(-80, 80, 321, dtype=dtype)[:, None]
    mean = np.full_like(log_var, 1.5)
    layer = Gaussian(m0, v0)

    def value_and_gradients(mean, log_var):
        with tf.GradientTape() as tape:
            tape.watch((mean, log_var))
            kl = layer.KL_divergence(mean, log_var)
        return kl, *tape.gradient(kl, (mean, log_var))

    kl, by_mean, by_log_var = run(value_and_gradients, mean, log_var)
    ratio = np.exp(np.float64(log_var)) / v0
    exact = (ratio - 1 - np.log(ratio) + (1.5 - m0) ** 2 / v0) / 2
    tolerance = {"float32": 2e-5, "float64": 1e-12}[dtype]  # exp(80) has 80 ulp of its argument
    np.testing.assert_allclose(kl, exact, rtol=tolerance)
    np.testing.assert_allclose(by_mean, np.full_like(exact, (1.5 - m0) / v0), rtol=tolerance)
    np.testing.assert_allclose(by_log_var, (ratio - 1) / 2, rtol=tolerance, atol=tolerance)


@both_modes
@both_types
def test_samples_and_densities_are_finite_with_their_gradients_for_any_variance(run, dtype):
    log_var = np.linspace(-80, 80, 33, dtype=dtype)[:, None]
    layer = Gaussian()

    def everything(mean, log_var):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(log_var)
            z = layer((mean, log_var))
            density = layer.prob_density_fcn(mean + 1, mean, layer.variance(log_var))
            scale = layer.variance_to_log_scale(layer.variance(log_var))
        values = (z, density, scale)
        return values, [tape.gradient(value, log_var) for value in values]

    (z, density, scale), gradients = run(everything, np.zeros_like(log_var), log_var)
    for value in (z, density, scale, *gradients):
        assert np.isfinite(value).all()
    np.testing.assert_allclose(scale, log_var, rtol=1e-5)
    exact = scipy.stats.norm(0, np.exp(np.float64(log_var) / 2)).pdf(1.0)
    np.testing.assert_allclose(density, exact, rtol=2e-5, atol=1e-30)


def test_divergence_agrees_with_the_divergence_of_arrays():
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(2, 40, 3))
    summed = tf.reduce_sum(Gaussian(0.5, 2).KL_divergence(mean, log_var), axis=-1)
    exact = kl_divergence_gaussians(mean, np.exp(log_var / 2), 0.5, np.sqrt(2.0))
    np.testing.assert_allclose(summed, exact, rtol=1e-12)


# The door


def test_the_base_is_abstract():
    assert issubclass(BaseDistribution, tf.keras.layers.Layer)
    assert issubclass(Gaussian, BaseDistribution)
    with pytest.raises(TypeError, match="abstract"):
        BaseDistribution()


@pytest.mark.parametrize(
    ("prior", "error", "sentence"),
    [
        (("a",), TypeError, "prior_mean must be a real number, not 'a'"),
        ((True,), TypeError, "prior_mean must be a real number"),
        (([0.0],), TypeError, "prior_mean must be a real number"),
        ((np.nan,), ValueError, "prior_mean must be finite"),
        ((0.0, None), TypeError, "prior_variance must be a real number"),
        ((0.0, 0.0), ValueError, "prior_variance must be positive, not 0"),
        ((0.0, -1), ValueError, "prior_variance must be positive, not -1"),
        ((0.0, np.inf), ValueError, "prior_variance must be finite"),
    ],
)
def test_bad_priors_are_refused(prior, error, sentence):
    with pytest.raises(error, match=sentence):
        Gaussian(*prior)


def test_bad_inputs_are_refused():
    layer = Gaussian()
    with pytest.raises(ValueError, match=r"pair \(z_mean, z_log_var\)"):
        layer.call(tf.zeros((3, 2)))
    with pytest.raises(TypeError, match="log_var must be float32"):
        layer.KL_divergence(tf.zeros(2), tf.zeros(2, tf.float64))
    with pytest.raises(TypeError, match="mean must be float32"):
        layer.KL_divergence("a", 1.0)
    with pytest.raises(ValueError, match="variance must be positive"):
        layer.prob_density_fcn(0.0, 0.0, -1.0)


# Keras


def test_configuration_survives():
    layer = Gaussian(0.5, 2, name="latent")
    twin = Gaussian.from_config(layer.get_config())
    assert (twin.prior_mean, twin.prior_variance, twin.name) == (0.5, 2.0, "latent")
    assert twin((tf.zeros((2, 1), tf.float64), tf.zeros((2, 1), tf.float64))).dtype == tf.float64


def test_in_a_keras_model_it_trains_predicts_and_is_saved(tmp_path):
    inputs = tf.keras.Input((3,))
    heads = [tf.keras.layers.Dense(2, name=name)(inputs) for name in ("mean", "log_var")]
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(Gaussian(0.5, 2)(heads)))
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    before = model.get_layer("log_var").get_weights()[0].copy()
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    assert np.all(model.get_layer("log_var").get_weights()[0] != before)

    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    (layer,) = [layer for layer in loaded.layers if isinstance(layer, Gaussian)]
    assert (layer.prior_mean, layer.prior_variance) == (0.5, 2.0)
    assert loaded.predict(x[:5], verbose=0).shape == (5, 1)


@pytest.mark.full
def test_it_is_a_layer_of_the_keras_before_as_well():
    """`tf.keras` may be Keras 2, which is chosen before TensorFlow is imported."""
    script = """
        import numpy as np, tensorflow as tf
        from vae_tf1 import Gaussian
        assert tf.keras.layers.Layer.__module__.startswith("tf_keras"), tf.keras
        layer = Gaussian.from_config(Gaussian(0.5, 2).get_config())
        for dtype in ("float32", "float64"):
            with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
                mean, log_var = (tf.compat.v1.placeholder(dtype, (None, 2)) for _ in range(2))
                outputs = layer((mean, log_var)), layer.KL_divergence(mean, log_var)
                z, kl = sess.run(outputs, {mean: np.full((9, 2), 0.5), log_var: np.zeros((9, 2))})
                assert z.dtype == dtype and z.shape == kl.shape == (9, 2)
                assert np.allclose(kl, (0.5 - 1 - np.log(0.5)) / 2)
        assert layer((tf.zeros((4, 2), tf.float64),) * 2).dtype == tf.float64
        inputs = tf.keras.Input((3,))
        heads = [tf.keras.layers.Dense(2)(inputs), tf.keras.layers.Dense(2)(inputs)]
        model = tf.keras.Model(inputs, layer(heads))
        model.compile("sgd", "mse")
        model.fit(np.zeros((8, 3)), np.zeros((8, 2)), verbose=0)
        assert model.predict(np.zeros((5, 3)), verbose=0).shape == (5, 2)
    """
    environment = os.environ | {
        "TF_USE_LEGACY_KERAS": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, check=True, timeout=120
    )


# The autoencoder's prior


@pytest.mark.full
def test_the_autoencoder_trains_against_this_prior():
    prior = Gaussian(3.0, 0.25)
    X = np.random.default_rng(0).integers(0, 2, (256, 12)).astype(np.float32)
    with VariationalAutoencoder(12, [8, 2], seed=0, prior=prior) as vae:
        elbo, mean, stddev, logits = vae.sess.run(
            (vae.elbo, vae.means, vae.stddev, vae.X_hat_distribution.logits), {vae.X: X}
        )
        log_likelihood = np.sum(X * logits - np.logaddexp(0, logits))
        kl = kl_divergence_gaussians(mean, stddev, 3.0, 0.5).sum()
        assert elbo == pytest.approx(log_likelihood - kl, rel=1e-5)
        before = np.abs(mean - 3.0).mean()
        vae.fit(X, epochs=150, batch_sz=32, progress=False, plot=False)
        assert np.abs(vae.transform(X) - 3.0).mean() < 0.3 * before


def test_the_autoencoder_samples_from_this_prior():
    with VariationalAutoencoder(2, [2], seed=0, prior=Gaussian(3.0, 0.25)) as vae:
        (layer,) = vae.decoder_layers
        with vae.graph.as_default():
            vae.sess.run(layer.W.assign(np.eye(2, dtype=np.float32)))
        # The decoder is now the identity, so that the probabilities are sigmoid(z).
        _, probs = vae.prior_predictive_sample_with_probs(20_000)
    z = np.log(probs) - np.log1p(-probs)
    assert scipy.stats.kstest(z.ravel(), scipy.stats.norm(3.0, 0.5).cdf).pvalue > 1e-4


# The picture


def test_plot_draws_a_curve_for_each_distribution_and_the_prior():
    figure = Gaussian(0.5, 2).plot([0.0, 1.0], [0.0, -3.0])
    assert isinstance(figure, Figure)
    (ax,) = figure.axes
    assert len(ax.lines) == 3
    x, density = ax.lines[1].get_data()
    np.testing.assert_allclose(density, scipy.stats.norm(1, np.exp(-1.5)).pdf(x), atol=1e-12)
    assert ax.get_title()
    assert ax.get_xlabel()

    mine = Figure().subplots()
    assert Gaussian().plot(tf.constant(0.0), tf.constant(0.0), ax=mine) is mine.figure
    assert len(mine.lines) == 2
