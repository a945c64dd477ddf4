"""`VAETransformer` in scikit-learn's own machinery."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from vae_tf1 import VariationalAutoencoder
from vae_tf1.estimators import VAETransformer

OPTIONS = {"hidden_layer_sizes": (6,), "epochs": 2, "batch_size": 10, "random_state": 1}


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((40, 12)) < 0.3).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(X):
    estimator = VAETransformer(3, **OPTIONS).fit(X)
    yield estimator
    estimator.model_.close()


class TestTheModel:
    @pytest.mark.full
    def test_is_that_of_fit(self, fitted, X):
        with VariationalAutoencoder(12, [6, 3], seed=1) as vae:
            vae.fit(X, 2, 10, progress=False, plot=False)
            np.testing.assert_array_equal(fitted.transform(X), vae.transform(X))
            codes = np.random.default_rng(1).normal(size=(5, 3))
            np.testing.assert_array_equal(
                fitted.inverse_transform(codes), vae.prior_predictive_with_input(codes)
            )
            expected = vae.log_likelihood(X, 100, progress=False)
            np.testing.assert_array_equal(fitted.score_samples(X), expected)
            assert fitted.score(X) == pytest.approx(expected.mean())
        assert fitted.n_features_in_ == 12
        assert fitted.get_feature_names_out().tolist() == ["vae0", "vae1", "vae2"]

    @pytest.mark.full
    def test_has_the_options_of_fit(self, X):
        options = {**OPTIONS, "optimizer": "adam", "learning_rate": 0.01, "clip_norm": 5.0}
        grey = X * np.float32(0.6)
        estimator = VAETransformer(
            2, validation_fraction=0.25, patience=1, binarization="dynamic", **options
        ).fit(grey)
        with estimator.model_ as vae:
            assert vae.updates.describe() == {
                "name": "adam", "learning_rate": 0.01, "clip_norm": 5.0,
            }  # fmt: skip
            assert len(vae.validation_history) >= 1
            assert vae.state.binarization == "dynamic"

    def test_of_fewer_images_than_a_batch_is_trained_on_all_of_them(self, X):
        with VAETransformer(2, **{**OPTIONS, "batch_size": 64}).fit(X[:7]).model_ as vae:
            assert len(vae.costs) == 2

    def test_survives_pickling(self, fitted, X):
        copy = pickle.loads(pickle.dumps(fitted))
        with copy.model_:
            np.testing.assert_array_equal(copy.transform(X), fitted.transform(X))
            assert copy.get_params() == fitted.get_params()

    def test_is_not_there_before_fit(self, X):
        with pytest.raises(ValueError, match="not fitted yet"):
            VAETransformer().transform(X)

    @pytest.mark.parametrize(
        ("options", "data", "message"),
        [
            ({"n_components": 0}, None, "hidden layer size must be at least 1"),
            ({"batch_size": 0}, None, "batch_size must be at least 1"),
            ({"random_state": "one"}, None, "random_state must be an integer"),
            ({"optimizer": "best"}, None, "optimizer must be one of"),
            ({}, np.zeros(12), "images in rows"),
            ({}, np.full((4, 12), 2.0), "values in"),
        ],
    )
    def test_refuses_at_fit_what_makes_no_sense(self, X, options, data, message):
        estimator = VAETransformer(**options)
        with pytest.raises((TypeError, ValueError), match=message):
            estimator.fit(X if data is None else data)
        assert not hasattr(estimator, "model_")


class TestParameters:
    def test_are_read_and_set_by_name(self):
        estimator = VAETransformer(5, epochs=3)
        assert estimator.get_params()["n_components"] == 5
        assert estimator.set_params(epochs=7, patience=2) is estimator
        assert (estimator.epochs, estimator.patience) == (7, 2)
        assert repr(estimator) == "VAETransformer(n_components=5, epochs=7, patience=2)"
        with pytest.raises(ValueError, match="no parameter 'depth'"):
            estimator.set_params(depth=3)

    @pytest.mark.full
    def test_a_generator_gives_a_seed(self, X):
        seeds = []
        for _ in range(2):
            options = {**OPTIONS, "epochs": 1, "random_state": np.random.default_rng(5)}
            with VAETransformer(2, **options).fit(X).model_ as vae:
                seeds.append(vae.seed)
        assert seeds[0] == seeds[1]


class TestInScikitLearn:
    @pytest.fixture(autouse=True)
    def needs_scikit_learn(self):
        pytest.importorskip("sklearn")

    def test_clone_has_the_parameters_and_no_model(self, fitted):
        from sklearn.base import clone

        copy = clone(fitted)
        assert copy.get_params() == fitted.get_params()
        assert not hasattr(copy, "model_")

    def test_a_pipeline_classifies_by_the_codes(self, X):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import MinMaxScaler

        y = X[:, 0].astype(int)
        pipeline = Pipeline(
            [("scale", MinMaxScaler()), ("vae", VAETransformer(3, **OPTIONS)),
             ("classify", LogisticRegression())]
        )  # fmt: skip
        pipeline.set_params(vae__epochs=3).fit(X, y)
        with pipeline.named_steps["vae"].model_ as vae:
            assert len(vae.costs) == 12
            codes = vae.transform(X)
            classifier = pipeline.named_steps["classify"]
            np.testing.assert_array_equal(pipeline.predict(X), classifier.predict(codes))

    def test_a_pipeline_that_ends_with_it_scores(self, fitted, X):
        from sklearn.pipeline import make_pipeline

        pipeline = make_pipeline("passthrough", VAETransformer(3, **OPTIONS)).fit(X)
        with pipeline[-1].model_:
            assert pipeline.score(X) == fitted.score(X)
            np.testing.assert_array_equal(pipeline.score_samples(X), fitted.score_samples(X))

    @pytest.mark.full
    def test_a_search_finds_the_better_of_two(self, X):
        from sklearn.model_selection import GridSearchCV

        grid = {"learning_rate": [1e-12, 0.02]}
        search = GridSearchCV(VAETransformer(2, **{**OPTIONS, "epochs": 20}), grid, cv=2)
        search.fit(X)
        with search.best_estimator_.model_:
            assert search.best_params_ == {"learning_rate": 0.02}

    def test_says_that_it_is_not_fitted_in_its_own_words(self, X):
        from sklearn.exceptions import NotFittedError

        with pytest.raises(NotFittedError):
            VAETransformer().score(X)


@pytest.mark.full
def test_scikit_learn_is_not_needed():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from vae_tf1.estimators import VAETransformer\n"
        "try: VAETransformer().transform([[0]])\n"
        "except ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "not fitted yet" in done.stdout
