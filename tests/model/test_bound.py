"""The bounds that training climbs, and their gradients, against float64 NumPy."""

import json

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import norm
from support.kinds import full_except

from vae_tf1 import CheckpointError, Gaussian, VariationalAutoencoder
from vae_tf1.model.bound import Objective

D, H, M, B, K = 7, 5, 3, 4, 6
DREG = {"importance_samples": K, "doubly_reparameterized": True}


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((B, D)) < 0.5).astype(np.float32)


@pytest.fixture(scope="module")
def epsilon():
    return np.random.default_rng(1).standard_normal((B, K, M)).astype(np.float32)


def model(**options):
    return VariationalAutoencoder(D, [H, M], seed=5, **options)


class Reference:
    """Encoder and decoder with a hidden layer each, as functions of their weights in float64."""

    def __init__(self, X, epsilon, beta=1.0, prior=None):
        self.X, self.epsilon, self.beta = X.astype(np.float64), epsilon.astype(np.float64), beta
        self.prior = prior or norm(0, 1)

    def posterior(self, weights):
        W1, b1, W2, b2 = weights[:4]
        means, unbounded = np.split(np.maximum(self.X @ W1 + b1, 0) @ W2 + b2, 2, axis=-1)
        return means[:, None], np.logaddexp(0, unbounded)[:, None] + 1e-6

    def codes(self, weights):
        means, stddev = self.posterior(weights)
        return means + stddev * self.epsilon

    def log_weights(self, Z, posterior, weights):
        W1, b1, W2, b2 = weights[4:]
        logits = np.maximum(Z @ W1 + b1, 0) @ W2 + b2
        log_likelihood = (self.X[:, None] * logits - np.logaddexp(0, logits)).sum(-1)
        log_ratio = (self.prior.logpdf(Z) - norm(*posterior).logpdf(Z)).sum(-1)
        return log_likelihood + self.beta * log_ratio

    def bound(self, weights):
        log_w = self.log_weights(self.codes(weights), self.posterior(weights), weights)
        return (logsumexp(log_w, 1) - np.log(log_w.shape[1])).sum()

    def doubly_reparameterized_gradient(self, weights):
        """Return Σ w̃² ∂log w/∂z ∂z/∂φ of the encoder: q's parameters are held in log w."""
        Z, held = self.codes(weights), self.posterior(weights)
        share = softmax(self.log_weights(Z, held, weights), 1)
        slope = np.empty_like(Z)
        for m in range(M):
            step = np.zeros(M)
            step[m] = 1e-6
            up, down = (self.log_weights(Z + s * step, held, weights) for s in (1, -1))
            slope[..., m] = (up - down) / 2e-6
        direction = share[..., None] ** 2 * slope
        return differences(lambda weights: (direction * self.codes(weights)).sum(), weights)[:4]


def differences(function, weights, step=1e-6):
    """Return the gradient by central differences."""
    gradients = []
    for weight in weights:
        gradient = np.empty_like(weight)
        for index in np.ndindex(weight.shape):
            value = weight[index]
            weight[index] = value + step
            up = function(weights)
            weight[index] = value - step
            down = function(weights)
            weight[index] = value
            gradient[index] = (up - down) / (2 * step)
        gradients.append(gradient)
    return gradients


def computed(vae, X, epsilon, *tensors):
    return vae.sess.run(tensors, {vae.X: X, vae.epsilon: epsilon})


def gradients(vae):
    import tensorflow as tf

    with vae.graph.as_default():
        return tf.gradients(vae.bound, vae.variables)


def weights_of(vae):
    return [weight.astype(np.float64) for weight in vae.sess.run(vae.variables)]


def close(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4 * max(np.abs(b).max(), 1e-3))


# The value, and its gradient ----------------------------------------------------------------------


@pytest.mark.parametrize("beta", [1.0, 0.3])
@pytest.mark.parametrize("prior", full_except([None, Gaussian(0.5, 2.0)], None))
def test_the_importance_weighted_bound_and_its_gradient(X, epsilon, beta, prior):
    with model(importance_samples=K, beta=beta, prior=prior) as vae:
        bound, gradient = computed(vae, X, epsilon, vae.bound, gradients(vae))
        weights = weights_of(vae)
    reference = Reference(X, epsilon, beta, prior and norm(0.5, np.sqrt(2.0)))
    assert bound == pytest.approx(reference.bound(weights), rel=1e-5)
    close(gradient, differences(reference.bound, weights))


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_the_doubly_reparameterized_gradient(X, epsilon, beta):
    with model(**DREG, beta=beta) as vae:
        bound, gradient = computed(vae, X, epsilon, vae.bound, gradients(vae))
        weights = weights_of(vae)
    reference = Reference(X, epsilon, beta)
    assert bound == pytest.approx(reference.bound(weights), rel=1e-5)
    close(gradient[4:], differences(reference.bound, weights)[4:])  # the decoder's is the usual one
    close(gradient[:4], reference.doubly_reparameterized_gradient(weights))


@pytest.mark.repeats
def test_both_gradients_have_one_mean(X):
    """No formula of the gradient is assumed here: only that both estimate the same one."""
    many, rng = np.repeat(X[:1], 500, 0), np.random.default_rng(2)
    found = {}
    draws = [rng.standard_normal((len(many), K, M)).astype(np.float32) for _ in range(60)]
    for name, options in {"plain": {"importance_samples": K}, "doubly": DREG}.items():
        with model(**options) as vae:
            bias = gradients(vae)[3]
            found[name] = np.array([computed(vae, many, e, bias)[0] / len(many) for e in draws])
    plain, doubly = found["plain"], found["doubly"]
    error = np.sqrt((plain.var(0, ddof=1) + doubly.var(0, ddof=1)) / len(draws))
    assert np.all(np.abs(plain.mean(0) - doubly.mean(0)) < 4.5 * error)
    assert np.abs(plain.mean(0)).max() > 20 * error.max()  # there is something to compare


def test_one_sample_is_the_elbo(X):
    with model() as vae:
        assert vae.bound is vae.elbo
    with model(beta=1) as vae:
        assert vae.bound is vae.elbo


def test_the_elbo_is_the_mean_of_the_log_weights(X, epsilon):
    with model(importance_samples=K, beta=0.3) as vae:
        elbo, means, Z = computed(vae, X, epsilon, vae.elbo, vae.means, vae.Z)
        weights = weights_of(vae)
    reference = Reference(X, epsilon)
    codes = reference.codes(weights)
    log_w = reference.log_weights(codes, reference.posterior(weights), weights)
    assert elbo == pytest.approx(log_w.mean(1).sum(), rel=1e-5)
    assert means.shape == (B, M)
    np.testing.assert_allclose(Z, codes[:, 0], rtol=1e-4, atol=1e-5)


def test_beta_weighs_the_kl(X):
    with model(beta=2.5) as vae, model() as plain:
        noise = np.zeros((B, M), np.float32)
        elbo, bound = computed(vae, X, noise, vae.elbo, vae.bound)
        assert elbo == pytest.approx(computed(plain, X, noise, plain.elbo)[0], rel=1e-6)
        assert vae.evaluate(X) == plain.evaluate(X)  # of the model, not of its training
        kl = vae.evaluate(X).kl
    assert bound == pytest.approx(elbo - 1.5 * B * kl, rel=1e-5)


@pytest.mark.repeats
@pytest.mark.parametrize("k", full_except([1, 2], 1))
def test_the_weight_of_the_kl_rises_with_the_global_step(X, k):
    noise = np.zeros((B, M) if k == 1 else (B, k, M), np.float32)
    bounds = []
    with model(importance_samples=k, beta=2.0, kl_warm_up=4) as vae:
        start = vae.sess.run(vae.variables)
        for _ in range(6):
            bounds.append(computed(vae, X, noise, vae.bound, vae.train_op)[0])
            with vae.graph.as_default():
                for variable, value in zip(vae.variables, start, strict=True):
                    variable.load(value, vae.sess)
    expected = []
    for beta in (0.0, 0.5, 1.0, 1.5, 2.0, 2.0):
        with model(importance_samples=k, beta=beta) as vae:
            expected.append(computed(vae, X, noise, vae.bound)[0])
    np.testing.assert_allclose(bounds, expected, rtol=1e-6)


# Training -----------------------------------------------------------------------------------------

OPTIONS = {
    "k": {"importance_samples": 5},
    "doubly": DREG,
    "beta and warm-up": {"beta": 0.5, "kl_warm_up": 30},
    "all": {**DREG, "beta": 0.5, "kl_warm_up": 30},
}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(3).random((160, D)) < 0.4


def fit(vae, images, **options):
    return vae.fit(images, 4, 40, progress=False, plot=False, **options)


@pytest.mark.repeats
@pytest.mark.parametrize("name", full_except(OPTIONS, "all"))
@pytest.mark.parametrize("compile", full_except([False, True], False))
def test_fit_makes_the_steps_of_the_placeholder_graph(images, name, compile):
    from vae_tf1.model.noise import minibatch_order

    options = OPTIONS[name]
    with model(**options) as vae:
        costs = fit(vae, images, compile=compile)
        weights = vae.sess.run(vae.variables)
    expected = []
    with model(**options) as vae:
        for epoch in range(4):
            for batch in images[minibatch_order(5, epoch, 160)].reshape(4, 40, D):
                elbo, _ = vae.sess.run((vae.elbo, vae.train_op), {vae.X: batch})
                expected.append(elbo / 40)
        close(weights, vae.sess.run(vae.variables))
    np.testing.assert_allclose(costs, expected, rtol=1e-4)


@pytest.mark.repeats
@pytest.mark.parametrize("name", full_except(["k", "all"], "all"))
def test_a_training_that_was_stopped_ends_with_the_same_bits(images, name, tmp_path):
    options = OPTIONS[name]
    with model(**options) as vae:
        costs = fit(vae, images, compile=False)
        weights = vae.sess.run(vae.variables)
    with model(**options) as vae:
        vae.fit(images, 2, 40, progress=False, plot=False, compile=False, checkpoint_dir=tmp_path)
    with VariationalAutoencoder.load(tmp_path) as vae:
        assert vae.objective == Objective(**options)
    with model(**options) as vae:
        assert fit(vae, images, compile=False, checkpoint_dir=tmp_path) == costs
        for found, expected in zip(vae.sess.run(vae.variables), weights, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.full
def test_a_folder_belongs_to_one_objective(images, tmp_path):
    with model(beta=0.5) as vae:
        fit(vae, images, compile=False, checkpoint_dir=tmp_path)
    for options in ({}, {"beta": 0.7}):
        with model(**options) as vae, pytest.raises(CheckpointError, match="with another bound"):
            fit(vae, images, compile=False, checkpoint_dir=tmp_path)


def test_the_manifest_tells_of_an_objective_only_if_there_is_one(tmp_path):
    with model() as vae:
        vae.save(tmp_path / "plain")
    with model(importance_samples=np.int64(2), beta=np.float32(0.5)) as vae:
        vae.save(tmp_path / "other")
    plain, other = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("plain", "other")
    )
    assert "bound" not in plain
    assert other["bound"] == {
        "importance_samples": 2,
        "beta": 0.5,
        "kl_warm_up": 0,
        "doubly_reparameterized": False,
    }
    for wrong in ({"importance_samples": 0}, {"gamma": 1}, [], {"beta": "1"}, None):
        (tmp_path / "other.json").write_text(json.dumps(other | {"bound": wrong}))
        with pytest.raises(CheckpointError, match=r"bound is .*, expected the arguments"):
            VariationalAutoencoder.load(tmp_path / "other")


# The door -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"importance_samples": 0}, ValueError, "importance_samples must be at least 1, not 0"),
        ({"importance_samples": 2.0}, TypeError, "importance_samples must be an integer"),
        ({"beta": -1}, ValueError, "beta must be a number from 0 on, not -1"),
        ({"beta": float("nan")}, ValueError, "beta must be a number from 0 on, not nan"),
        ({"beta": "1"}, ValueError, "beta must be a number from 0 on, not '1'"),
        ({"beta": True}, ValueError, "beta must be a number from 0 on, not True"),
        ({"kl_warm_up": -1}, ValueError, "kl_warm_up must be at least 0, not -1"),
        ({"doubly_reparameterized": 1}, TypeError, "must be True or False, not 1"),
    ],
)
def test_another_objective_is_refused_in_one_sentence(options, error, message):
    with pytest.raises(error, match=message):
        model(**options)
