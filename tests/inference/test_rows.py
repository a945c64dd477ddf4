"""Many rows through the model: blocks side by side, with the results of one run over all rows."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import VariationalAutoencoder
from vae_tf1.inference.rows import Inference

D, M, ROWS, SIDE_BY_SIDE = 12, 2, 103, 3


@pytest.fixture
def vae():
    with VariationalAutoencoder(D, [5, M], seed=3) as vae:
        in_blocks_of(vae, 10)
        yield vae


def in_blocks_of(vae, rows, **options):
    """Have the model run so many rows at a time."""
    vae._inference = Inference(vae, block_bytes=rows * 4 * D, **options)


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((ROWS, D)) < 0.4).astype(np.float32)


def test_transform_and_decoding_are_those_of_one_run(vae, X):
    means = vae.sess.run(vae.means, {vae.X: X})
    np.testing.assert_allclose(vae.transform(X), means, rtol=1e-5, atol=1e-6)
    probabilities = vae.sess.run(vae.prior_predictive_from_input_probs, {vae.Z_input: means})
    np.testing.assert_allclose(vae.prior_predictive_with_input(means), probabilities, rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 9, 10, 11, 30, ROWS])
def test_evaluate_is_the_same_whatever_the_blocks(vae, X, rows):
    in_blocks = vae.evaluate(X[:rows])
    in_blocks_of(vae, 1000)
    at_once = vae.evaluate(X[:rows])
    assert all(type(value) is float for value in in_blocks)
    np.testing.assert_allclose(in_blocks, at_once, rtol=1e-5)


class TestXla:
    """Ten full blocks and three rows more; what is compiled is a full block."""

    @pytest.fixture(autouse=True)
    def ten_blocks_are_worth_it(self, vae):
        in_blocks_of(vae, 10, worth_compiling=10)

    @pytest.fixture
    def compiled(self, monkeypatch):
        built = []

        def build(self, rows, n, compiled):
            built.append((n, compiled))
            return _build(self, rows, n, compiled)

        _build = Inference._build_evaluation
        monkeypatch.setattr(Inference, "_build_evaluation", build)
        return built

    def test_large_work_is_compiled_and_small_work_is_not(self, vae, X, compiled):
        large, small = vae.evaluate(X), vae.evaluate(X[:99])
        assert set(compiled) == {(10, True), (None, False), (10, False)}
        built = len(compiled)
        assert vae.evaluate(X) == large
        assert vae.evaluate(X[:99]) == small
        assert len(compiled) == built

    def test_the_result_is_that_without_it(self, vae, X):
        with_xla = vae.evaluate(X)
        in_blocks_of(vae, 10, worth_compiling=11)
        np.testing.assert_allclose(with_xla, vae.evaluate(X), rtol=1e-5)

    def test_where_it_is_unavailable_evaluate_goes_on_and_says_so_once(self, vae, X, monkeypatch):
        def unavailable(self, rows, n, compiled):
            if compiled:
                raise tf.errors.UnimplementedError(None, None, "no JIT on this machine")
            return build(self, rows, n, compiled)

        build = Inference._build_evaluation
        monkeypatch.setattr(Inference, "_build_evaluation", unavailable)
        with pytest.warns(RuntimeWarning, match="no JIT on this machine") as warned:
            first = vae.evaluate(X)
        assert [warning.filename for warning in warned] == [__file__]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert vae.evaluate(X) == first


def test_samples_are_drawn_in_the_order_of_the_rows(X):
    """What a seed draws must not depend on which of two blocks is faster."""
    samples = []
    for _ in range(5):
        with VariationalAutoencoder(D, [5, M], seed=3) as vae:
            in_blocks_of(vae, 10)
            samples.append(vae.posterior_predictive_sample(X))
    assert all(np.array_equal(sample, samples[0]) for sample in samples)


class Rows:
    """A lazy sequence that, like many files, must be read from one thread alone."""

    def __init__(self, values, bad=None):
        self.values, self.bad, self.reader = values, bad, threading.get_ident()
        self.read = 0

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        assert threading.get_ident() == self.reader
        self.read = max(self.read, index)
        return self.values[index] * (np.nan if index == self.bad else 1)


def test_a_lazy_sequence_is_read_from_one_thread_and_no_further_than_needed(vae, X):
    rows = Rows(X)
    np.testing.assert_array_equal(vae.transform(rows), vae.transform(X))
    assert rows.read == ROWS - 1

    rows = Rows(X, bad=35)
    with pytest.raises(ValueError, match="NaN"):
        vae.evaluate(rows)
    assert rows.read < 40


def test_some_blocks_run_side_by_side_and_no_more(vae, X, monkeypatch):
    """Each waits until another has begun; were they one after the other, none would get on."""
    in_blocks_of(vae, 10, side_by_side=SIDE_BY_SIDE)
    together = threading.Barrier(SIDE_BY_SIDE, timeout=20)
    running, most = set(), []
    run = vae.sess.run

    def waiting(*args):
        running.add(threading.get_ident())
        most.append(len(running))
        together.wait()
        running.discard(threading.get_ident())
        return run(*args)

    n = 10 * SIDE_BY_SIDE * 2
    monkeypatch.setattr(vae.sess, "run", waiting)
    assert vae.transform(X[:n]).shape == (n, M)
    assert max(most) == SIDE_BY_SIDE


def test_the_first_evaluations_in_several_threads_agree(X):
    """Each would add to the graph: one after the other, and only the first does."""
    with VariationalAutoencoder(D, [5, M], seed=3) as vae, ThreadPoolExecutor(8) as pool:
        in_blocks_of(vae, 10, worth_compiling=10)
        results = set(pool.map(vae.evaluate, [X] * 8))
    assert len(results) == 1


def test_an_error_in_a_block_reaches_the_caller(vae, X, monkeypatch):
    def fails(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(vae.sess, "run", fails)
    for method in (vae.transform, vae.evaluate, vae.posterior_predictive_sample):
        with pytest.raises(MemoryError, match="no room"):
            method(X)
