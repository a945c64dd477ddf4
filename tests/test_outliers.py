"""The outlier detector against NumPy, SciPy, hostile tables and scikit-learn's own checks."""

import copy
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from support.kinds import full_except

from vae_tf1 import OutlierDetector, VariationalAutoencoder, gmm_params
from vae_tf1.errors import CheckpointError
from vae_tf1.mixture import Mixture, auroc, fit_mixture
from vae_tf1.outliers import joint, table, trained
from vae_tf1.outliers.moments import gmm_params_of_blocks

SMALL = {"hidden_layer_sizes": (8, 2), "estimation_layer_sizes": (6,), "epochs": 2}


def two_clusters(n=300, seed=0):
    """Return n inliers around a curve and a point in the space of 6 columns, in odd units."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-1, 1, (n // 2, 1))
    curve = np.concatenate([t, t**2, 1 - t, t, -t, 2 * t], axis=1)
    point = np.array([3, -3, 3, -3, 0, 3]) + np.zeros((n // 2, 1))
    clusters = np.concatenate([curve, point]) + 0.1 * rng.normal(size=(n, 6))
    return rng.permutation(clusters) * [1, 10, 1e-3, 1e6, 1, 100] + [0, 5, 1, 1e9, 0, -7]


def strangers(X, n=100, seed=1):
    """Return rows drawn evenly from the box that the rows of X fill."""
    return np.random.default_rng(seed).uniform(X.min(0), X.max(0), (n, X.shape[1]))


@pytest.fixture(scope="module")
def X():
    return two_clusters()


@pytest.fixture(scope="module")
def fitted(X):
    options = {"hidden_layer_sizes": (16, 2), "epochs": 100, "batch_sz": 30}
    return OutlierDetector(**options, learning_rate=3e-3).fit(X)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.random((400, 12)) < rng.choice([0.1, 0.9], (2, 12))[rng.integers(2, size=400)]


@pytest.fixture(scope="module")
def vae(images):
    with VariationalAutoencoder(12, [8, 2], seed=0) as model:
        model.fit(images, epochs=5, plot=False, progress=False, compile=False)
        yield model


def features_by_numpy(X, X_hat):
    features = []
    for x, x_hat in zip(X, X_hat, strict=True):
        length, length_hat = np.linalg.norm(x), np.linalg.norm(x_hat)
        product = length * length_hat
        features.append(
            (
                np.linalg.norm(x - x_hat) / max(length, 0.1),
                x @ x_hat / product if product else 0.0,
            )
        )
    return np.array(features)


def energy_by_scipy(z, mixture):
    cov = mixture.L @ mixture.L.transpose(0, 2, 1)
    log_joint = [
        np.log(p) + scipy.stats.multivariate_normal(m, c).logpdf(z)
        for p, m, c in zip(mixture.phi, mixture.mu, cov, strict=True)
    ]
    return -scipy.special.logsumexp(log_joint, axis=0)


# The formulas


def test_reconstruction_features_are_numpys():
    rng = np.random.default_rng(0)
    X, X_hat = rng.normal(size=(2, 20, 5))
    X[3] = 0  # no direction
    X[4] = 1e-3  # shorter than 0.1
    X_hat[5] = 0
    X_hat[6] = X[6]  # perfect: (0, 1)
    values = joint.reconstruction_features(tf.constant(X), tf.constant(X_hat)).numpy()
    np.testing.assert_allclose(values, features_by_numpy(X, X_hat), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(values[6], [0, 1], atol=1e-10)


def test_reconstruction_features_have_finite_gradients_everywhere():
    X, X_hat = tf.constant([[0.0, 0], [1, 2], [1, 2]]), tf.constant([[0.0, 0], [1, 2], [0, 0]])
    with tf.GradientTape() as tape:
        tape.watch((X, X_hat))
        features = joint.reconstruction_features(X, X_hat)
    for gradient in tape.gradient(features, (X, X_hat)):
        assert np.isfinite(gradient).all()


def settings(**changes):
    return OutlierDetector(**{**SMALL, **changes})._settings()


def test_the_joint_loss_is_the_papers_formula():
    rows = np.random.default_rng(0).random((50, 5))
    model = joint.JointModel(5, settings(n_gmm=3, energy_weight=0.3, covariance_weight=0.02))
    fetches = (model.z, model.gamma, model.X_hat, model.losses, model.loss)
    z, gamma, X_hat, losses, loss = model.sess.run(fetches, {model.X: rows})

    np.testing.assert_allclose(z[:, -2:], features_by_numpy(rows, X_hat), rtol=1e-9)
    np.testing.assert_allclose(gamma.sum(axis=1), 1, rtol=1e-12)
    mu = gamma.T @ z / gamma.sum(axis=0)[:, None]
    cov = np.array([np.cov(z.T, aweights=g, ddof=0) for g in gamma.T])
    L = np.linalg.cholesky(cov + 1e-6 * np.eye(4))
    energies = energy_by_scipy(z, Mixture(gamma.mean(axis=0), mu, cov, L, None))
    assert losses.energy == pytest.approx(energies.mean(), rel=1e-9)
    assert losses.cov_diag == pytest.approx((1 / cov.diagonal(axis1=1, axis2=2)).sum(), rel=1e-9)
    assert losses.reconstruction == pytest.approx(np.square(rows - X_hat).sum(axis=1).mean())
    parts = losses.reconstruction + 0.3 * losses.energy + 0.02 * losses.cov_diag
    assert loss == pytest.approx(parts, rel=1e-12)


@pytest.mark.parametrize("offset", [0, 1e4])
@pytest.mark.parametrize("sizes", [[500], [1, 499], [100] * 5, [137, 200, 3, 160]])
def test_parameters_from_blocks_are_those_of_all_rows_at_once(sizes, offset):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4)) + offset
    gamma = rng.dirichlet(np.ones(3), 500) * [1, 1, 0]  # nobody belongs to the last
    gamma /= gamma.sum(axis=1, keepdims=True)
    ends = np.cumsum(sizes)[:-1]
    of_blocks = gmm_params_of_blocks(
        lambda: zip(np.split(z, ends), np.split(gamma, ends), strict=True)
    )
    for name, value, whole in zip(Mixture._fields, of_blocks, gmm_params(z, gamma), strict=True):
        np.testing.assert_allclose(value, whole, rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.full
def test_the_mixture_of_a_fit_is_that_of_the_whole_training_set(fitted, X):
    scorer = fitted._scorer
    whole = gmm_params(*scorer._model.features(scorer._scaling.apply(X)))
    for name, value, expected in zip(Mixture._fields, fitted.mixture_, whole, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-12, err_msg=name)


def test_the_score_is_the_negative_energy_by_scipy(fitted, X):
    scorer = fitted._scorer
    z, _ = scorer._model.features(scorer._scaling.apply(X))
    expected = -energy_by_scipy(z, fitted.mixture_)
    np.testing.assert_allclose(fitted.score_samples(X), expected, rtol=1e-8)


# Detection


def test_two_clusters_are_told_from_strangers(fitted, X):
    inliers, outliers = two_clusters(seed=2), strangers(X)
    assert auroc(-fitted.score_samples(inliers), -fitted.score_samples(outliers)) > 0.99


@pytest.mark.parametrize("wrong", ["no means", "no covariances", "no correlations"])
def test_a_wrong_mixture_does_not_tell_them(fitted, X, wrong):
    phi, mu, cov, L, log_det = fitted.mixture_
    mutant = copy.copy(fitted._scorer)
    one = np.broadcast_to(np.eye(4), L.shape)
    mutant.mixture = {
        "no means": Mixture(phi, 0 * mu, cov, L, log_det),
        "no covariances": Mixture(phi, mu, cov, one, 0 * log_det),
        "no correlations": Mixture(phi, mu, cov, one * L, log_det),
    }[wrong]
    inliers, outliers = two_clusters(seed=2), strangers(X)
    assert auroc(-mutant.score(inliers), -mutant.score(outliers)) < 0.9


def test_training_lowers_the_loss(X):
    losses = []
    detector = OutlierDetector(**{**SMALL, "epochs": 20})
    detector._say = lambda epoch, loss: losses.append((epoch, loss))
    detector.set_params(progress=True).fit(X)
    assert [epoch for epoch, _ in losses] == list(range(1, 21))
    assert losses[-1][1] < 0.5 * losses[0][1]


# Near-singular tables


RNG = np.random.default_rng(3)
SINGULAR = {
    "one row": RNG.normal(size=(1, 4)),
    "two rows": RNG.normal(size=(2, 3)),
    "one column": RNG.normal(size=(40, 1)),
    "duplicates": np.ones((50, 1)) * RNG.normal(size=(1, 4)),
    "nothing but zeros": np.zeros((30, 3)),
    "a constant column": np.column_stack([RNG.normal(size=(40, 2)), np.full(40, 1e9)]),
    "a column twice": RNG.normal(size=(40, 1)) @ np.ones((1, 4)),
    "more columns than rows": RNG.normal(size=(5, 30)),
    "one value far away": np.r_[RNG.normal(size=(40, 2)), [[1e30, 0]]],
    "as large as float32": np.full((20, 2), 3e38) * RNG.choice([-1, 1], (20, 2)),
}


@pytest.mark.parametrize("name", full_except(SINGULAR, "a column twice"))
def test_near_singular_tables_give_finite_scores(name):
    rows = SINGULAR[name]
    detector = OutlierDetector(**{**SMALL, "epochs": 5}, batch_sz=16).fit(rows)
    assert np.isfinite(detector.score_samples(rows)).all()
    assert np.isfinite(detector.score_samples(1e6 * np.ones_like(rows))).all()
    for part in detector.mixture_:
        assert np.isfinite(part).all()


@pytest.mark.full
def test_a_large_offset_costs_no_digits():
    rows = RNG.normal(size=(60, 3))
    same, moved = (
        OutlierDetector(**SMALL).fit(table).score_samples(table)
        for table in (rows, rows + 2.0**33)  # of which float32 would keep no difference
    )
    np.testing.assert_allclose(moved, same, rtol=1e-4)


def test_a_training_that_diverges_says_so():
    with pytest.raises(FloatingPointError, match="a smaller learning_rate may help"):
        OutlierDetector(**SMALL, learning_rate=1e38, batch_sz=8).fit(RNG.normal(size=(60, 3)))


# Rows


@pytest.mark.full
def test_the_same_seed_gives_the_same_bits_whatever_holds_the_rows(tmp_path, X):
    file = np.memmap(tmp_path / "X", np.float64, "w+", shape=X.shape)
    file[:] = X
    first, *others = (OutlierDetector(**SMALL).fit(rows) for rows in (X, X.tolist(), file))
    for other in others:
        np.testing.assert_array_equal(other.score_samples(X), first.score_samples(X))
    another = OutlierDetector(**SMALL, seed=1).fit(X)
    assert np.any(another.score_samples(X) != first.score_samples(X))


@pytest.mark.full
def test_no_more_than_a_block_of_rows_is_looked_at_together(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(table, "BLOCK", 100)
    for method in ("features", "energies"):
        original = getattr(joint.JointModel, method)
        monkeypatch.setattr(
            joint.JointModel,
            method,
            lambda self, X, *rest, original=original: (
                seen.append(len(X)) or original(self, X, *rest)
            ),
        )
    rows = np.memmap(tmp_path / "X", np.float32, "w+", shape=(1050, 3))
    rows[:] = RNG.normal(size=rows.shape)
    OutlierDetector(**{**SMALL, "epochs": 1}).fit(rows)
    assert max(seen) == 100
    assert sum(seen) == 3 * 1050  # two passes for the mixture, one for the threshold


def test_rows_are_not_changed_and_order_does_not_matter(fitted, X):
    before, order = X.copy(), np.random.default_rng(0).permutation(len(X))
    scores = fitted.score_samples(X)
    np.testing.assert_allclose(fitted.score_samples(X[order]), scores[order], rtol=1e-9)
    np.testing.assert_array_equal(X, before)


# Thresholds


@pytest.mark.full
def test_contamination_is_the_share_of_training_rows_below_the_threshold(X):
    detector = OutlierDetector(**SMALL, contamination=0.2)
    predicted = detector.fit_predict(X)
    assert set(predicted) == {-1, 1}
    assert np.mean(predicted == -1) == pytest.approx(0.2, abs=1 / len(X))
    np.testing.assert_array_equal(predicted, np.where(detector.decision_function(X) >= 0, 1, -1))
    difference = detector.score_samples(X) - detector.decision_function(X)
    np.testing.assert_allclose(difference, detector.offset_)


def test_the_threshold_follows_a_percentile_of_other_rows(X):
    detector, others = OutlierDetector(**SMALL).fit(X), two_clusters(seed=5)
    offset = detector.infer_threshold(others, percentile=70)
    assert offset == detector.offset_
    assert np.mean(detector.predict(others) == 1) == pytest.approx(0.7, abs=1 / len(others))


# With a trained model


def test_the_score_of_a_trained_model_is_the_energy_of_its_codes_and_reconstructions(vae, images):
    detector = OutlierDetector(vae, n_gmm=3).fit(images)
    X = images.astype(np.float64)
    features = features_by_numpy(X, vae.reconstruct(images))
    z = np.concatenate([vae.transform(images), features], axis=1)
    expected = -energy_by_scipy(z, detector.mixture_)
    np.testing.assert_allclose(detector.score_samples(images), expected, rtol=1e-3, atol=1e-3)
    by_em = fit_mixture(z, 3, seed=0)
    np.testing.assert_allclose(-by_em.energy(z).mean(), expected.mean(), atol=0.01)


def test_fitting_a_detector_does_not_change_the_model(vae, images):
    before = vae.sess.run(vae.variables), vae.seed, vae.epochs_done
    evaluation = vae.evaluate(images)
    OutlierDetector(vae).fit(images).predict(images)
    for value, expected in zip(vae.sess.run(vae.variables), before[0], strict=True):
        np.testing.assert_array_equal(value, expected)
    assert (vae.seed, vae.epochs_done) == before[1:]
    assert vae.evaluate(images) == evaluation


@pytest.mark.full
def test_em_runs_on_a_bounded_number_of_rows_and_the_mixture_is_that_of_all(
    vae, images, monkeypatch
):
    given = []
    monkeypatch.setattr(trained, "_BLOCK", 64)
    monkeypatch.setattr(trained, "_MOST_ROWS", 50)
    monkeypatch.setattr(
        trained, "fit_mixture", lambda z, *a, **k: given.append(z) or fit_mixture(z, *a, **k)
    )
    detector = OutlierDetector(vae).fit(images)
    model = trained.TrainedModel(vae)
    z = np.concatenate(list(model.features(model.rows(images))))
    np.testing.assert_array_equal(given[0], z[::8])
    whole = gmm_params(z, trained.responsibilities(z, *fit_mixture(z[::8], 2, seed=0)))
    for value, expected in zip(detector.mixture_, whole, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-9)


# Files


def test_a_loaded_detector_gives_the_same_bits(fitted, X, tmp_path):
    path = fitted.save(tmp_path / "new" / "detector.npz")
    loaded = OutlierDetector.load(path)
    np.testing.assert_array_equal(loaded.score_samples(X), fitted.score_samples(X))
    assert loaded.offset_ == fitted.offset_
    assert loaded.get_params() == fitted.get_params()
    assert loaded.n_features_in_ == 6
    assert os.listdir(tmp_path / "new") == ["detector.npz"]


def test_a_file_holds_the_trained_model_too(vae, images, tmp_path):
    detector = OutlierDetector(vae).fit(images)
    path = detector.save(tmp_path / "detector.npz")
    with OutlierDetector.load(path).vae as model:
        assert model is not vae
        np.testing.assert_array_equal(model.transform(images), vae.transform(images))
        loaded = OutlierDetector(model).fit(images)
        np.testing.assert_array_equal(loaded.score_samples(images), detector.score_samples(images))


class Coin:
    """A likelihood of one's own: Bernoulli without the binomial's other names."""

    n_parameters = 1

    def log_prob(self, X, logits):
        return -tf.reduce_sum(
            tf.nn.sigmoid_cross_entropy_with_logits(labels=X, logits=logits), axis=1
        )

    def sample(self, logits, seed=None):
        return tf.cast(
            tf.random.uniform(tf.shape(logits), seed=seed) < self.mean(logits), "float32"
        )

    def mean(self, logits):
        return tf.sigmoid(logits)


def test_parts_of_ones_own_are_passed_again(images, tmp_path):
    with VariationalAutoencoder(12, [2], seed=0, likelihood=Coin()) as model:
        detector = OutlierDetector(model).fit(images)
        path, scores = detector.save(tmp_path / "detector.npz"), detector.score_samples(images)
    with pytest.raises(CheckpointError, match=r"detector\.npz cannot be loaded: .*likelihood"):
        OutlierDetector.load(path)
    loaded = OutlierDetector.load(path, likelihood=Coin())
    np.testing.assert_array_equal(loaded.score_samples(images), scores)


def test_nothing_in_a_file_is_pickled(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(pickle, "loads", None)
    monkeypatch.setattr(pickle, "load", None)
    path = fitted.save(tmp_path / "detector.npz")
    with np.load(path, allow_pickle=False) as file:
        assert {array.dtype.kind for array in file.values()} <= {"f", "u"}
    OutlierDetector.load(path)


def test_a_save_that_fails_leaves_the_earlier_file(fitted, tmp_path, monkeypatch):
    path = fitted.save(tmp_path / "detector.npz")
    before = (tmp_path / "detector.npz").read_bytes()

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(CheckpointError, match="No space left on device"):
        fitted.save(path)
    assert (tmp_path / "detector.npz").read_bytes() == before
    assert os.listdir(tmp_path) == ["detector.npz"]


def change_member(path, name, content):
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name] = content(members[name])
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)


DAMAGE = {
    "cut": lambda p: p.write_bytes(p.read_bytes()[:-200]),
    "a flipped bit": lambda p: p.write_bytes(flip(p.read_bytes())),
    "empty": lambda p: p.write_bytes(b""),
    "something else": lambda p: np.savez(p, x=np.zeros(3)),
    "pickled": lambda p: np.savez(p, facts=np.array([{}], object)),
    "another shape": lambda p: change_member(
        p, "mu.npy", lambda b: b.replace(b"(2, 4)", b"(4, 2)")
    ),
    "a shape that lies": lambda p: change_member(
        p, "mu.npy", lambda b: b.replace(b"(2, 4), }   ", b"(2, 40000)} ")
    ),
    "NaN": lambda p: change_member(p, "phi.npy", lambda b: b[:-8] + np.float64("nan").tobytes()),
    "other parameters": lambda p: change_member(
        p, "facts.npy", lambda b: b.replace(b'"n_gmm": 2', b'"n_gmm": 5')
    ),
    "a later format": lambda p: change_member(
        p, "facts.npy", lambda b: b.replace(b'"format": 1', b'"format": 9')
    ),
}


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 64]) + content[middle + 1 :]


@pytest.mark.full
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused_in_one_sentence(name, fitted, tmp_path):
    path = tmp_path / "detector.npz"
    fitted.save(path)
    before = path.read_bytes()
    DAMAGE[name](path)
    assert path.read_bytes() != before
    with pytest.raises(CheckpointError, match=r"detector\.npz") as refusal:
        OutlierDetector.load(path)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no detector .*nowhere\.npz"):
        OutlierDetector.load(tmp_path / "nowhere.npz")


# Refusals


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"contamination": 0.6}, "contamination must be above 0 and at most 0.5, not 0.6"),
        ({"contamination": "auto"}, "contamination must be above 0 and at most 0.5, not 'auto'"),
        ({"n_gmm": 0}, "n_gmm must be at least 1, not 0"),
        ({"n_gmm": 2.5}, "n_gmm must be an integer, not 2.5"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1, not 1"),
        ({"energy_weight": -1}, "energy_weight must not be negative, not -1"),
        ({"covariance_weight": float("nan")}, "covariance_weight must not be negative, not nan"),
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be a tuple of integers"),
        ({"hidden_layer_sizes": 60}, "hidden_layer_sizes must be a tuple of integers"),
        ({"estimation_layer_sizes": (0,)}, "a size in estimation_layer_sizes must be at least 1"),
        ({"learning_rate": 0}, "learning_rate must be a positive number, not 0"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"vae": 784}, "vae must be a trained VariationalAutoencoder, not 784"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_fit(parameters, message, X):
    detector = OutlierDetector(**parameters)
    with pytest.raises((TypeError, ValueError)) as refusal:
        detector.fit(X)
    assert str(refusal.value).startswith(message)
    assert not hasattr(detector, "offset_")


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([[0, np.nan]], ValueError, "X holds NaN or infinity, but finite numbers are expected"),
        ([[0, 1e39]], ValueError, "X holds NaN or infinity, but finite numbers are expected"),
        ([1, 2, 3], ValueError, r"X has shape \(3,\), but rows of columns are expected; Reshape"),
        (np.zeros((2, 2, 2)), ValueError, r"X has shape \(2, 2, 2\), but rows of columns are"),
        (np.zeros((0, 2)), ValueError, r"X has 0 sample\(s\)"),
        ([[1, 2], [3]], ValueError, "X is ragged: its rows do not have one common length"),
        ([[1j]], ValueError, "Complex data not supported"),
        ([["a", "b"]], ValueError, "X must hold real numbers: could not convert string"),
        (np.zeros((2, 1), "M8[s]"), TypeError, "X must hold real numbers, not dtype datetime64"),
        ([[{}]], TypeError, "X must hold real numbers: float"),
    ],
)
def test_a_table_of_something_else_is_refused(rows, error, message):
    with pytest.raises(error, match=f"^{message}"):
        OutlierDetector().fit(rows)


def test_rows_of_another_width_are_refused(fitted, vae, images):
    with pytest.raises(ValueError, match="X has 5 features, but OutlierDetector is expecting 6"):
        fitted.predict(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="X has rows of 11 values, but the model takes 12"):
        OutlierDetector(vae).fit(images).predict(images[:, 1:])


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="there is no parameter 'gmm'; there are vae, n_gmm"):
        OutlierDetector().set_params(gmm=3)


@pytest.mark.parametrize("percentile", [0, 100, "95", True])
def test_a_percentile_out_of_range_is_refused(fitted, X, percentile):
    before = fitted.offset_
    with pytest.raises(ValueError, match="percentile must be above 0 and below 100"):
        fitted.infer_threshold(X, percentile)
    assert fitted.offset_ == before


@pytest.mark.parametrize("method", ["predict", "score_samples", "decision_function", "save"])
def test_a_detector_that_is_not_fitted_says_so(method):
    with pytest.raises(ValueError, match=r"is not fitted yet: call fit\(X\) first"):
        getattr(OutlierDetector(), method)("x")


def test_a_closed_model_is_refused(images):
    with VariationalAutoencoder(12, [2]) as closed:
        pass
    with pytest.raises(ValueError, match="closed"):
        OutlierDetector(closed).fit(images)


# scikit-learn


def test_scikit_learn_need_not_be_installed(X, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ValueError, match="not fitted"):
        OutlierDetector().predict(X)
    assert OutlierDetector(**SMALL).fit_predict(X).shape == (len(X),)


@pytest.mark.full
def test_a_fitted_detector_can_be_copied_and_pickled(fitted, X):
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(other.score_samples(X), fitted.score_samples(X))


def test_its_text_shows_what_is_not_the_default():
    assert repr(OutlierDetector(n_gmm=4, seed=0)) == "OutlierDetector(n_gmm=4)"


def test_a_clone_shares_the_model(vae):
    base = pytest.importorskip("sklearn.base")
    clone = base.clone(OutlierDetector(vae, n_gmm=7))
    assert clone.vae is vae
    assert clone.n_gmm == 7
    assert base.is_outlier_detector(clone)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:.*does not inherit from `sklearn.base.BaseEstimator`")
def test_it_passes_scikit_learns_checks_of_an_estimator():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    detector = OutlierDetector(**SMALL)
    results = checks.check_estimator(detector, on_fail=None, on_skip=None)
    failed = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "failed"}
    assert failed == {}
    assert sum(r["status"] == "passed" for r in results) > 40
