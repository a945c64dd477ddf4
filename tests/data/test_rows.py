"""The door: what is wrong with the data is said in one sentence before any op of the graph runs."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from vae_tf1 import VariationalAutoencoder
from vae_tf1.checks import check_count
from vae_tf1.data.rows import as_rows, as_values

D = 4


def values_of(rows):
    return as_values(rows.take(slice(None)).astype(np.float32), rows.levels)


class TestStorage:
    @pytest.mark.parametrize("dtype", [bool, "u1", "i4", "i8", "f2", "f4", "f8"])
    def test_binary_images_are_bytes_whatever_they_come_as(self, dtype):
        X = (np.arange(40).reshape(10, D) % 3 == 0).astype(dtype)
        rows = as_rows(X, D)
        assert rows.dtype == np.uint8
        assert rows.levels == 1
        np.testing.assert_array_equal(values_of(rows), X.astype(np.float32))

    def test_eight_bit_grey_values_are_bytes(self):
        X = (np.arange(256).reshape(64, D) / np.float32(255)).astype(np.float32)
        rows = as_rows(X, D)
        assert (rows.dtype, rows.levels) == (np.uint8, 255)
        np.testing.assert_array_equal(values_of(rows), X)

    def test_other_grey_values_stay_as_they_are(self):
        X = np.random.default_rng(0).random((10, D))
        rows = as_rows(X, D)
        assert rows.dtype == np.float32
        np.testing.assert_array_equal(values_of(rows), X.astype(np.float32))

    def test_a_buffer_is_an_array(self):
        X = np.arange(8, dtype=np.uint8).reshape(2, D) % 2
        np.testing.assert_array_equal(values_of(as_rows(memoryview(X), D)), X)

    def test_a_fingerprint_is_of_every_value_and_of_its_units(self):
        """1.0.0 looked at 64 rows, and at the bytes alone."""
        X = np.random.default_rng(0).random((2000, D)) < 0.5
        changed = X.copy()
        changed[7, 1] ^= True  # no row that a sample of 64 would look at
        fingerprint = as_rows(X, D).fingerprint()
        for same in (X.astype(np.float64), X.tolist(), X.astype("u1")):
            assert as_rows(same, D).fingerprint() == fingerprint
        for other in (changed, X / 255, X[:-1]):
            assert as_rows(other, D).fingerprint() != fingerprint
        assert as_rows(changed, D).sample_checksum() == as_rows(X, D).sample_checksum()

    def test_a_slice_of_a_stream_of_many_rows_costs_what_it_holds(self):
        class Many:
            def __len__(self):
                return 10**15

            def __getitem__(self, index):
                return np.zeros(D)

        assert as_rows(Many(), D).take(slice(10**14, 10**14 + 3)).shape == (3, D)

    def test_bytes_are_not_copied(self):
        X = np.zeros((10, D), np.uint8)
        assert np.shares_memory(as_rows(X, D).take(slice(None)), X)

    @given(st_np.arrays(np.float32, (6, D), elements=st.floats(0, 1, width=32)))
    @settings(deadline=None)
    def test_no_value_is_ever_changed(self, X):
        np.testing.assert_array_equal(values_of(as_rows(X, D)), X)


WRONG = {
    "NaN": (np.full((3, D), np.nan), ValueError, "NaN or infinity"),
    "infinity": (np.full((3, D), np.inf), ValueError, "NaN or infinity"),
    "minus infinity": (np.full((3, D), -np.inf), ValueError, "NaN or infinity"),
    "one NaN of many": (np.where(np.arange(4 * 9000) == 35_000, np.nan, 0).reshape(-1, D),
                        ValueError, "NaN"),
    "negative": (np.full((3, D), -0.1), ValueError, "from -0.1 to -0.1.*values in \\[0, 1\\]"),
    "above one": (np.full((3, D), 1.5), ValueError, "values in \\[0, 1\\]"),
    "undivided bytes": (np.full((3, D), 200, np.uint8), ValueError, "divide 8-bit images by 255"),
    "narrow": (np.zeros((3, D - 1)), ValueError, "rows of 3 values, but the model takes 4"),
    "wide": (np.zeros((3, D + 1)), ValueError, "rows of 5 values, but the model takes 4"),
    "flat": (np.zeros(D), ValueError, "a single row is written \\[x\\]"),
    "square images": (np.zeros((3, 2, 2)), ValueError, "reshape it to \\(len\\(X\\), 4\\)"),
    "scalar": (0.5, ValueError, "shape \\(\\)"),
    "empty": (np.zeros((0, D)), ValueError, "empty"),
    "empty list": ([], ValueError, "empty"),
    "ragged": ([[0, 1], [0, 1, 1]], ValueError, "ragged"),
    "objects": (np.full((3, D), None), TypeError, "dtype object"),
    "text": (np.full((3, D), "a"), TypeError, "real numbers"),
    "complex": (np.zeros((3, D), complex), TypeError, "complex"),
    "dates": (np.zeros((3, D), "M8[s]"), TypeError, "datetime64"),
    "None": (None, TypeError, "not NoneType"),
    "a string": ("0110", TypeError, "not str"),
    "a dict": ({}, TypeError, "not dict"),
    "a function": (print, TypeError, "real numbers"),
    "a generator": ((row for row in np.zeros((3, D))), TypeError, "only one after the other"),
    "a tf.data dataset": (tf.data.Dataset.from_tensor_slices(np.zeros((3, D))), TypeError,
                          "only one after the other"),
    "a set": ({0.5}, TypeError, "only one after the other"),
    "images and labels": ((np.zeros((3, D)), np.zeros(3)), TypeError, r"give \w\[0\] alone"),
    "a pair of arrays": ([np.zeros((5, D)), np.zeros(5)], TypeError, "a pair"),
}  # fmt: skip


@pytest.fixture(scope="module")
def vae():
    with VariationalAutoencoder(D, [2], seed=1) as vae:
        yield vae


def methods(vae):
    return {
        "fit": lambda X: vae.fit(X, epochs=1, batch_sz=1, progress=False, plot=False),
        "transform": vae.transform,
        "reconstruct": vae.reconstruct,
        "posterior_predictive_sample": vae.posterior_predictive_sample,
        "evaluate": vae.evaluate,
    }


@pytest.mark.parametrize("what", WRONG)
def test_bad_data_is_refused_in_one_sentence(vae, what, monkeypatch):
    X, error, message = WRONG[what]
    monkeypatch.setattr(vae.sess, "run", lambda *a, **k: pytest.fail("an op of the graph ran"))
    for name, method in methods(vae).items():
        with pytest.raises(error, match=message) as caught:
            method(X)
        assert type(caught.value) is error, name
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", [k for k in WRONG if k not in ("negative", "above one",
                                                                "undivided bytes")])  # fmt: skip
def test_codes_may_be_any_finite_numbers(vae, what):
    _, error, _ = WRONG[what]
    Z = WRONG[what][0]
    if isinstance(Z, np.ndarray) and Z.shape == (3, D):
        Z = Z[:, :2]
    with pytest.raises(error):
        vae.prior_predictive_with_input(Z)
    assert vae.prior_predictive_with_input([[-300.0, 1e5]]).shape == (1, D)


def test_codes_beyond_float32_are_not_finite_numbers(vae):
    with pytest.raises(ValueError, match="finite numbers"):
        vae.prior_predictive_with_input([[1e300, 0.0]])


@given(
    st_np.arrays(
        st.one_of(
            st_np.floating_dtypes(sizes=(16, 32, 64)),
            st_np.integer_dtypes(),
            st_np.unsigned_integer_dtypes(),
            st_np.boolean_dtypes(),
            st_np.complex_number_dtypes(),
            st_np.datetime64_dtypes(),
            st_np.unicode_string_dtypes(),
        ),
        st_np.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
    )
)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_array_is_taken_or_refused_in_one_sentence(vae, X):
    for method in (vae.transform, vae.evaluate):
        try:
            result = method(X)
        except (ValueError, TypeError) as error:
            assert type(error) in (ValueError, TypeError)
            assert "\n" not in str(error)
        else:
            assert X.ndim == 2
            assert X.shape[1] == D
            assert np.isfinite(result).all()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=5),
        max_leaves=20,
    )
)
@settings(deadline=None, max_examples=150)
def test_any_nested_list_is_taken_or_refused_in_one_sentence(vae, X):
    try:
        assert vae.transform(X).shape == (len(X), 2)
    except (ValueError, TypeError) as error:
        assert type(error) in (ValueError, TypeError)
        assert "\n" not in str(error)


class TestOptions:
    @pytest.mark.parametrize(
        ("D", "sizes", "options", "error", "message"),
        [
            (0, [2], {}, ValueError, "D must be at least 1, not 0"),
            (-3, [2], {}, ValueError, "D must be at least 1"),
            (4.0, [2], {}, TypeError, "D must be an integer, not 4.0"),
            (True, [2], {}, TypeError, "D must be an integer"),
            ("4", [2], {}, TypeError, "D must be an integer"),
            (4, [], {}, ValueError, "hidden_layer_sizes is empty"),
            (4, 2, {}, TypeError, "hidden_layer_sizes must be a list"),
            (4, "20", {}, TypeError, "hidden_layer_sizes must be a list"),
            (4, [3, 0], {}, ValueError, "a hidden layer size must be at least 1"),
            (4, [3, -2], {}, ValueError, "a hidden layer size must be at least 1"),
            (4, [3, 2.5], {}, TypeError, "a hidden layer size must be an integer"),
            (4, [2], {"seed": -1}, ValueError, "seed must be at least 0"),
            (4, [2], {"seed": 1.5}, TypeError, "seed must be an integer"),
            (4, [2], {"kl": "exact"}, ValueError, "'analytic', 'monte_carlo'"),
            (4, [2], {"prior": 1.0}, TypeError, "prior must be None, a Gaussian"),
        ],
    )
    def test_bad_models_are_refused(self, D, sizes, options, error, message):
        with pytest.raises(error, match=message):
            VariationalAutoencoder(D, sizes, **options)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"epochs": 0}, ValueError, "epochs must be at least 1"),
            ({"epochs": -1}, ValueError, "epochs must be at least 1"),
            ({"epochs": 1.5}, TypeError, "epochs must be an integer"),
            ({"batch_sz": 0}, ValueError, "batch_sz must be at least 1"),
            ({"batch_sz": None}, TypeError, "batch_sz must be an integer"),
            ({"batch_sz": 4}, ValueError, "3 rows, fewer than one batch of 4"),
            ({"batch_sz": 1, "checkpoint_dir": "x", "keep": 0}, ValueError, "keep must be at"),
            ({"batch_sz": 1, "checkpoint_dir": "x", "save_every": 0}, ValueError, "save_every"),
            ({"batch_sz": 1, "checkpoint_dir": "x", "save_every": "1"}, ValueError, "save_every"),
        ],
    )
    def test_bad_options_of_fit_are_refused(
        self, vae, options, error, message, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(error, match=message):
            vae.fit(np.zeros((3, D)), progress=False, plot=False, **options)
        assert list(tmp_path.iterdir()) == []

    def test_a_numpy_number_is_a_number_of_seconds(self, vae, tmp_path):
        X = np.zeros((3, D))
        options = {"progress": False, "plot": False, "checkpoint_dir": tmp_path}
        assert len(vae.fit(X, 1, 1, save_every=np.float32(3), **options)) == 3

    def test_numpy_integers_are_integers(self):
        assert check_count(np.int32(3), "n") == 3
        with VariationalAutoencoder(np.int64(4), np.array([3, 2]), seed=np.uint8(1)) as vae:
            assert vae.hidden_layer_sizes == [3, 2]

    @pytest.mark.parametrize("n", [0, -1])
    def test_a_number_of_samples_is_positive(self, vae, n):
        with pytest.raises(ValueError, match="n must be at least 1"):
            vae.prior_predictive_sample_with_probs(n)

    def test_a_closed_model_says_so(self, tmp_path):
        vae = VariationalAutoencoder(D, [2])
        vae.close()
        X = np.zeros((3, D))
        calls = [
            *(lambda m=m: m(X) for m in methods(vae).values()),
            lambda: vae.prior_predictive_with_input(X[:, :2]),
            vae.prior_predictive_sample_with_probs,
            lambda: vae.save(tmp_path / "x"),
            lambda: vae.restore(tmp_path / "x"),
        ]
        for call in calls:
            with pytest.raises(ValueError, match="has been closed"):
                call()
