"""Conditional models: every method takes labels, and an image of a label can be drawn."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp
from support.parts import QUIET

from vae_tf1 import VariationalAutoencoder, priors

D, M, L = 12, 2, 3


@pytest.fixture(scope="module")
def data():
    """Images in which every third pixel is on: which ones the label says."""
    rng = np.random.default_rng(0)
    Y = rng.integers(0, L, 240)
    p = np.where(np.arange(D) % L == Y[:, None], 0.9, 0.1)
    return (rng.random((240, D)) < p).astype(np.float32), Y


def model(**options):
    return VariationalAutoencoder(D, [8, M], n_labels=L, seed=1, **options)


@pytest.mark.repeats
@pytest.mark.parametrize(
    "options", [{}, pytest.param({"importance_samples": 3}, marks=pytest.mark.full)]
)
def test_training_is_the_same_compiled_and_not(data, options):
    costs = []
    for compiled in (False, True):
        with model(**options) as vae:
            X, Y = data
            costs.append(vae.fit(X, labels=Y, epochs=3, batch_sz=40, compile=compiled, **QUIET))
    np.testing.assert_allclose(*costs, rtol=1e-4)


@pytest.mark.repeats
def test_samples_are_of_the_label_that_is_asked_for(data):
    X, Y = data
    with model() as vae:
        vae.fit(X, labels=Y, epochs=150, batch_sz=40, validation_data=(X[:40], Y[:40]), **QUIET)
        for label in range(L):
            _, means = vae.prior_predictive_sample_with_probs(200, labels=label)
            on, off = (means.mean(0)[(np.arange(D) % L == label) == is_on] for is_on in (1, 0))
            assert on.mean() > 0.7
            assert off.mean() < 0.3
            assert on.min() > off.max()
        wrong = (Y + 1) % L
        assert vae.evaluate(X, Y).elbo > vae.evaluate(X, wrong).elbo + 5


def test_the_integral_over_the_code_is_what_importance_sampling_estimates(data):
    X, Y = data[0][:4], data[1][:4]
    axis = np.linspace(-9, 9, 361)
    Z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2).astype(np.float32)
    with model() as vae:
        for variable in vae.variables:
            value = vae.sess.run(variable) * 0.3
            if variable is vae.encoder_layers[-1].b:
                value[M:] = 1.0
            vae.sess.run(variable.initializer, {variable.initializer.inputs[1]: value})
        with vae.graph.as_default():
            x = tf.compat.v1.placeholder(tf.float32, (1, D))
            images = tf.tile(x, (tf.shape(vae.Z_input)[0], 1))
            log_likelihood = vae.likelihood.log_prob(images, vae.decode(vae.Z_input))
            log_joint = log_likelihood + vae.prior_distribution.log_prob(vae.Z_input[:, :M])
        expected = []
        for image, label in zip(X, Y, strict=True):
            codes = np.hstack([Z, np.tile(np.eye(L)[label], (len(Z), 1))])
            logs = vae.sess.run(log_joint, {x: image[None], vae.Z_input: codes})
            expected.append(logsumexp(logs.astype(np.float64)) + 2 * np.log(axis[1] - axis[0]))
        found = vae.log_likelihood(X, 20_000, labels=Y, progress=False)
    assert abs(np.mean(found - expected)) < 0.05


@pytest.mark.full
def test_it_is_resumed_saved_and_loaded(data, tmp_path):
    X, Y = data
    fit = {"batch_sz": 40, "labels": Y, **QUIET}
    with model() as whole:
        whole.fit(X, epochs=4, **fit)
        expected, codes = whole.evaluate(X, Y), whole.transform(X, Y)
    with model() as half:
        half.fit(X, epochs=2, checkpoint_dir=tmp_path, **fit)
    with model() as resumed:
        resumed.fit(X, epochs=4, checkpoint_dir=tmp_path, **fit)
    with VariationalAutoencoder.load(tmp_path) as loaded:
        assert loaded.n_labels == L
        assert loaded.evaluate(X, Y) == expected
        np.testing.assert_array_equal(loaded.transform(X, Y), codes)


def test_eight_bit_images_and_their_labels_are_one(data):
    grey = np.random.default_rng(1).integers(0, 256, (60, D)) / np.float32(255)
    grey = grey.astype(np.float32)
    Y = data[1][:60]
    with model() as vae:
        bytes_ = vae._rows(grey, labels=Y)
        assert bytes_.dtype == np.uint8
        np.testing.assert_array_equal(bytes_.values(slice(None)), np.hstack([grey, np.eye(L)[Y]]))
        # drawn anew every epoch, and the labels stay
        drawn = vae._binarized(bytes_, "dynamic").of_epoch(3).values(slice(None))
        assert set(np.unique(drawn)) == {0, 1}
        np.testing.assert_array_equal(drawn[:, D:], np.eye(L)[Y])


class TestRefused:
    @pytest.mark.parametrize(
        ("labels", "error", "message"),
        [
            (None, ValueError, "the model has labels: 240 integers from 0 to 2 are expected"),
            (np.zeros(3, int), ValueError, r"240 integers .* not an array of shape \(3,\)"),
            (np.full(240, 3), ValueError, "not values from 3 to 3"),
            (np.zeros(240), TypeError, "not dtype float64"),
        ],
    )
    def test_labels_that_do_not_fit(self, data, labels, error, message):
        with model() as vae, pytest.raises(error, match=message):
            vae.fit(data[0], labels=labels, **QUIET)

    def test_labels_of_a_model_without(self, data):
        with (
            VariationalAutoencoder(D, [M], seed=1) as vae,
            pytest.raises(ValueError, match="labels are given, but the model has none"),
        ):
            vae.fit(data[0], labels=data[1], **QUIET)

    def test_a_number_that_is_none(self):
        with pytest.raises(ValueError, match="n_labels must be at least 2, not 1"):
            VariationalAutoencoder(D, [M], n_labels=1)

    def test_a_vampprior(self):
        with pytest.raises(ValueError, match="pseudo-images have no labels"):
            model(prior=priors.VampPrior(3))
