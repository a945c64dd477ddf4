"""`fit`: the original's training, in chunks inside the graph."""

import os
import re
import signal
import threading
import time
import warnings

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import VariationalAutoencoder
from vae_tf1.model import noise
from vae_tf1.training.interrupts import Interrupts
from vae_tf1.training.loop import Loop
from vae_tf1.training.schedule import Pace
from vae_tf1.training.trainer import Trainer

D, SIZES, BATCH = 20, [8, 3], 10
QUIET = {"progress": False, "plot": False}
ODD = 35  # images a step, more than `loop._WORTH_HALVING`: halves of 17 and 18


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((105, D)) < 0.3).astype(np.float32)


@pytest.fixture
def vae():
    with VariationalAutoencoder(D, SIZES, seed=1) as vae:
        yield vae


def state(vae, slots=("rms", "momentum")):
    """Weights, and the optimizer's slots."""
    slots = [vae.optimizer.get_slot(v, slot) for slot in slots for v in vae.variables]
    return [a.copy() for a in vae.sess.run([*vae.variables, *slots])]


def assert_same_state(a, b, **tolerance):
    for x, y in zip(a, b, strict=True):
        if tolerance:
            np.testing.assert_allclose(x, y, **tolerance)
        else:
            np.testing.assert_array_equal(x, y)


class TestTheOriginalsTraining:
    @pytest.mark.parametrize(
        ("compiled", "batch_sz", "steps"),
        [
            (False, BATCH, 30),
            pytest.param(True, BATCH, 30, marks=pytest.mark.full),
            pytest.param(True, ODD, 9, marks=pytest.mark.repeats),
        ],
    )
    def test_is_a_loop_of_train_op_over_shuffled_minibatches(
        self, vae, X, compiled, batch_sz, steps
    ):
        costs = vae.fit(X, epochs=3, batch_sz=batch_sz, compile=compiled, **QUIET)
        fitted = state(vae)
        vae.sess.run(vae.init_op)
        expected = []
        for epoch in range(3):
            order = noise.minibatch_order(1, epoch, len(X))
            for j in range(len(X) // batch_sz):
                batch = X[order[j * batch_sz : (j + 1) * batch_sz]]
                _, elbo = vae.sess.run((vae.train_op, vae.elbo), {vae.X: batch})
                expected.append(elbo / batch_sz)
        assert len(costs) == steps  # an epoch's ragged rows are left out
        np.testing.assert_allclose(costs, expected, rtol=1e-5)
        assert_same_state(state(vae), fitted, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(
        ("batch_sz", "epochs"), [(BATCH, 10), pytest.param(ODD, 34, marks=pytest.mark.full)]
    )
    def test_compiled_or_not_the_elbo_of_a_hundred_steps_agrees(self, X, batch_sz, epochs):
        costs = []
        for compiled in (True, False):
            with VariationalAutoencoder(D, SIZES, seed=1) as vae:
                costs.append(vae.fit(X, epochs, batch_sz, compile=compiled, **QUIET))
        np.testing.assert_allclose(*costs, rtol=1e-4)

    @pytest.mark.repeats
    def test_mixes_with_train_op(self, vae, X):
        """What one has learned the other goes on from; the noise never repeats."""
        vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
        before = vae.sess.run(vae.global_step)
        for _ in range(3):
            vae.sess.run(vae.train_op, {vae.X: X[:BATCH]})
        assert vae.sess.run(vae.global_step) == before + 3
        vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
        mixed = state(vae)
        vae.sess.run(vae.init_op)
        for epoch in range(2):
            order = noise.minibatch_order(1, epoch, len(X))
            for j in range(10):
                vae.sess.run(vae.train_op, {vae.X: X[order[j * BATCH : (j + 1) * BATCH]]})
            for _ in range(3 if epoch == 0 else 0):
                vae.sess.run(vae.train_op, {vae.X: X[:BATCH]})
        assert_same_state(state(vae), mixed, rtol=1e-4, atol=1e-5)

    def test_never_changes_the_callers_array(self, vae, X):
        mine = X.copy()
        mine.setflags(write=False)
        vae.fit(mine, epochs=2, batch_sz=BATCH, **QUIET)
        np.testing.assert_array_equal(mine, X)

    def test_learns(self, vae, X):
        costs = vae.fit(X, epochs=60, batch_sz=BATCH, **QUIET)
        assert np.mean(costs[-10:]) > np.mean(costs[:10]) + 3
        assert vae.costs == costs

    def test_feeds_the_same_values_however_they_are_stored(self, vae, X, tmp_path):
        start = vae.save(tmp_path / "start")
        grey = np.random.default_rng(1).integers(0, 256, (50, D)) / np.float32(255)
        for values, kinds in (
            (X, (X.astype(bool), X.astype("u1"), X.astype(int), X.astype(float), X.tolist())),
            (grey, (grey.astype(np.float64), grey.tolist())),
        ):
            results = []
            for kind in (values, *kinds):
                vae.restore(start)
                results.append(vae.fit(kind, epochs=1, batch_sz=BATCH, **QUIET))
            assert all(result == results[0] for result in results)


class TestReproducible:
    @pytest.mark.parametrize(
        ("batch_sz", "capacities"),
        [
            (BATCH, (64,)),
            pytest.param(BATCH, (1, 3, 64), marks=pytest.mark.full),
            pytest.param(ODD, (1, 2, 64), marks=pytest.mark.full),
        ],
    )
    def test_same_bits_whatever_the_chunk_size(self, X, batch_sz, capacities, tmp_path):
        """However many steps a loop may have, and however many of them a chunk does have."""
        results = []
        for capacity in capacities:
            with VariationalAutoencoder(D, SIZES, seed=1) as vae:
                start = vae.save(tmp_path / "start")
                for seconds in (1e9, 1e-9):  # as many steps as there may be, and one
                    vae._trainer = Trainer(vae, chunk_steps=capacity, chunk_seconds=seconds)
                    vae.restore(start)
                    costs = vae.fit(X, epochs=3, batch_sz=batch_sz, compile=True, **QUIET)
                    results.append((costs, state(vae)))
        for costs, weights in results[1:]:
            assert costs == results[0][0]
            assert_same_state(weights, results[0][1])

    @pytest.mark.repeats
    def test_two_fits_are_one_long_one(self, X):
        results = []
        for parts in ([4], [1, 3]):
            with VariationalAutoencoder(D, SIZES, seed=1) as vae:
                for epochs in parts:
                    vae.fit(X, epochs=epochs, batch_sz=BATCH, **QUIET)
                results.append(state(vae))
        assert_same_state(*results)


class TestRows:
    def test_trains_on_what_does_not_fit_into_memory(self, vae, X, tmp_path):
        start = vae.save(tmp_path / "start")
        mapped = np.memmap(tmp_path / "x", np.uint8, "w+", shape=X.shape)
        mapped[:] = X

        class Lazy:
            """A sequence of rows and nothing more."""

            def __len__(self):
                return len(X)

            def __getitem__(self, index):
                return X[index]

        results = []
        for source in (X, mapped, mapped[:], Lazy()):
            vae.restore(start)
            results.append(vae.fit(source, epochs=2, batch_sz=BATCH, **QUIET))
        assert all(result == results[0] for result in results)

    def test_a_bad_row_in_a_stream_stops_before_it_is_used(self, vae, X, tmp_path):
        vae._trainer = Trainer(vae, chunk_steps=2)
        mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=X.shape)
        mapped[:] = X
        mapped[noise.minibatch_order(1, 0, len(X))[75]] = np.nan  # in the eighth batch
        with pytest.raises(ValueError, match="NaN"):
            vae.fit(mapped, epochs=1, batch_sz=BATCH, **QUIET)
        assert 0 < len(vae.costs) < 8
        assert np.isfinite(state(vae)[0]).all()

    def test_a_private_mapping_keeps_what_was_written_to_it(self, vae, X, tmp_path):
        np.zeros(X.shape, np.uint8).tofile(tmp_path / "x")
        mapped = np.memmap(tmp_path / "x", np.uint8, "c", shape=X.shape)
        mapped[:] = X
        vae.fit(mapped, epochs=1, batch_sz=BATCH, **QUIET)
        np.testing.assert_array_equal(mapped, X)


class TestNotFinite:
    @pytest.mark.parametrize(
        ("compiled", "batch_sz"),
        [(False, BATCH), (True, BATCH), pytest.param(True, ODD, marks=pytest.mark.full)],
    )
    def test_stops_at_that_step_with_the_weights_before_it(self, vae, compiled, batch_sz):
        """Pixel 0 has a weight so large that the ELBO of an image that has it overflows."""
        X = np.zeros((n := 6 * batch_sz, D), np.float32)
        X[:, 1] = 1
        step = 3
        X[noise.minibatch_order(1, 0, n)[step * batch_sz], 0] = 1
        W = vae.sess.run(vae.variables[0])
        W[0] = 1e30
        with vae.graph.as_default():
            vae.variables[0].load(W, vae.sess)
        with pytest.raises(FloatingPointError, match="step 4, in epoch 1"):
            vae.fit(X, epochs=1, batch_sz=batch_sz, compile=compiled, **QUIET)
        assert len(vae.costs) == step
        assert np.isfinite(vae.costs).all()
        stopped = state(vae, ["rms"])
        assert all(np.isfinite(a).all() for a in stopped)
        assert vae.sess.run(vae.global_step) == step

        vae.sess.run(vae.init_op)
        with vae.graph.as_default():
            vae.variables[0].load(W, vae.sess)
        order = noise.minibatch_order(1, 0, n)
        for j in range(step):
            vae.sess.run(vae.train_op, {vae.X: X[order[j * batch_sz : (j + 1) * batch_sz]]})
        assert_same_state(state(vae, ["rms"]), stopped, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("compiled", [False, True])
    def test_a_mean_square_that_overflows_stops_before_it_does(self, X, compiled):
        """A gradient above 1.8e19 is finite and its square is not, so the next update would be NaN.

        The noise is huge and the decoder's weights are zero: only the encoder's stddev sees it.
        """
        with VariationalAutoencoder(D, [3], seed=1) as vae:
            good = vae.fit(X, epochs=1, batch_sz=BATCH, compile=compiled, **QUIET)
            slot = vae.optimizer.get_slot(vae.variables[1], "rms")
            with vae.graph.as_default():
                slot.load(np.full(slot.shape.as_list(), 3e38, np.float32), vae.sess)
                vae.variables[0].load(np.full((D, 6), 1e19, np.float32), vae.sess)
            with pytest.raises(FloatingPointError, match="step 1, in epoch 2"):
                vae.fit(X, epochs=1, batch_sz=BATCH, compile=compiled, **QUIET)
            assert vae.costs == good
            assert all(np.isfinite(a).all() for a in state(vae))
            assert vae.sess.run(vae.global_step) == len(good)

    def test_a_weight_that_becomes_nan_alone_is_found_and_taken_back(self, vae, X, monkeypatch):
        """Neither the ELBO nor a bias shows it in that step: only the look at the end does."""
        vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
        call, poisoned = Loop._call, []

        def poison_the_third_step(loop, images):
            step = vae.sess.run(vae.global_step)
            result = call(loop, images)
            if step <= 12 < step + len(result[0]):
                poisoned.append(step)
                W = vae.sess.run(vae.variables[0])
                W[0, 0] = np.nan
                with vae.graph.as_default():
                    vae.variables[0].load(W, vae.sess)
                return result[0], False
            return result

        monkeypatch.setattr(Loop, "_call", poison_the_third_step)
        with pytest.raises(FloatingPointError, match="step 3, in epoch 2"):
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
        assert len(poisoned) >= 1
        after = state(vae)
        monkeypatch.undo()
        vae.sess.run(vae.init_op)
        vae.state.costs.clear()
        vae.state.epochs_done = 0
        vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
        order = noise.minibatch_order(1, 1, len(X))
        for j in range(2):
            vae.sess.run(vae.train_op, {vae.X: X[order[j * BATCH : (j + 1) * BATCH]]})
        assert_same_state(state(vae, ["rms"]), after[: len(state(vae, ["rms"]))], rtol=1e-5)


class TestXla:
    @pytest.mark.repeats
    def test_many_short_calls_are_compiled_as_one_long_one_is(self, X):
        """`for epoch in range(n): fit(X, epochs=1)` is the usual way to look in between."""
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            vae._trainer = Trainer(vae, worth_compiling=0.01)  # 25 steps of 0.4 ms
            compiled = []
            for _ in range(4):
                vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
                compiled.append({kind[1] for kind in vae._trainer._loops._built})
        assert compiled == [{False}, {False}, {False, True}, {False, True}]

    @pytest.mark.full
    def test_small_work_is_not_compiled_and_large_is(self, X, monkeypatch):
        kinds = []
        build = Loop.__init__
        monkeypatch.setattr(
            Loop, "__init__", lambda self, *a: (kinds.append(a[-1]), build(self, *a))[1]
        )
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
            vae._trainer = Trainer(vae, worth_compiling=0.001)
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
        assert kinds == [False, True]

    def test_where_it_is_unavailable_training_goes_on_and_says_so_once(self, vae, X, monkeypatch):
        prepare = Loop.prepare

        def unavailable(loop):
            if loop.compiled:
                raise tf.errors.UnimplementedError(None, None, "no JIT on this machine")
            prepare(loop)

        monkeypatch.setattr(Loop, "prepare", unavailable)
        with pytest.warns(RuntimeWarning, match="no JIT on this machine") as warned:
            vae.fit(X, epochs=1, batch_sz=BATCH, compile=True, **QUIET)
        assert [warning.filename for warning in warned] == [__file__]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            vae.fit(X, epochs=1, batch_sz=BATCH, compile=True, **QUIET)
        assert len(vae.costs) == 20


class TestCosts:
    def test_a_long_list_shows_itself_in_one_line(self, vae, X):
        costs = vae.fit(X, epochs=2, batch_sz=BATCH, **QUIET)
        assert isinstance(costs, list)
        assert repr(costs) == (
            f"<ELBO per image of 20 steps: {costs[0]:.2f} … {costs[-1]:.2f} nats>"
        )
        assert repr(type(costs)([1.0, 2.0])) == "[1.0, 2.0]"


class TestFork:
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_process_is_told_in_place_of_waiting_for_ever(self, vae, X):
        read, write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            said = []
            for use in (lambda: vae.fit(X), lambda: VariationalAutoencoder(D, SIZES)):
                try:
                    use()
                except RuntimeError as error:
                    said.append(str(error))
            os.write(write, "\n".join(said).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(write)
        with os.fdopen(read) as lines:
            said = lines.read().splitlines()
        assert len(said) == 2
        assert all(f"process {os.getpid()} forked" in line for line in said)


class TestInterrupts:
    def test_ctrl_c_is_obeyed_within_a_second_and_keeps_what_was_learned(self, vae, X):
        sent = []

        def press_ctrl_c():
            while not vae.costs:
                time.sleep(0.01)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=press_ctrl_c).start()
        with pytest.raises(KeyboardInterrupt, match=r"stopped in epoch .* is kept") as caught:
            vae.fit(X, epochs=10**5, batch_sz=BATCH, compile=False, **QUIET)
        assert len(caught.traceback) == 2  # this test's frame, and fit's
        assert time.monotonic() - sent[0] < 10  # half a second where nothing else runs
        assert len(vae.costs) > 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)

    @pytest.mark.full
    def test_ctrl_c_does_not_wait_for_xla(self, vae, X, monkeypatch):
        compiling, go_on = threading.Event(), threading.Event()
        prepare = Loop.prepare

        def compile_for_long(loop):
            compiling.set()
            go_on.wait(60)
            prepare(loop)

        def press_ctrl_c():
            compiling.wait(60)
            os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(Loop, "prepare", compile_for_long)
        threading.Thread(target=press_ctrl_c).start()
        with pytest.raises(KeyboardInterrupt):
            vae.fit(X, epochs=1, batch_sz=BATCH, compile=True, **QUIET)
        assert not go_on.is_set()
        go_on.set()
        monkeypatch.undo()
        assert len(vae.fit(X, epochs=1, batch_sz=BATCH, compile=True, **QUIET)) == 10

    def test_other_handlers_get_their_signal(self):
        calls = []
        before = signal.signal(signal.SIGTERM, lambda *_: calls.append("handled"))
        try:
            with Interrupts(signal.SIGTERM) as interrupts:
                signal.raise_signal(signal.SIGTERM)
                assert interrupts.received == signal.SIGTERM
                assert calls == []
                interrupts.deliver()
                assert calls == ["handled"]
                signal.raise_signal(signal.SIGTERM)
                assert calls == ["handled"]
            assert calls == ["handled", "handled"]
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_a_second_ctrl_c_does_not_wait(self):
        with Interrupts():
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    def test_works_outside_the_main_thread(self, vae, X):
        thread = threading.Thread(target=vae.fit, args=(X, 1, BATCH), kwargs=QUIET)
        thread.start()
        thread.join()
        assert len(vae.costs) == 10


class TestProgress:
    def test_a_line_an_epoch_where_there_is_no_terminal(self, vae, X, capsys):
        vae.fit(X, epochs=2, batch_sz=BATCH, plot=False)
        first, second = capsys.readouterr().out.splitlines()
        assert first.startswith("epoch 1/2: ELBO -")
        assert second.startswith("epoch 2/2: ELBO -")

    def test_a_bar_on_a_terminal(self, vae, X, capsys, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        vae.fit(X, epochs=2, batch_sz=BATCH, plot=False)
        out, err = capsys.readouterr()
        assert out == ""
        assert "epoch 2/2" in err
        assert "20/20" in err

    def test_compiling_is_shown_once_and_for_what_it_is(self, vae, X, capsys, monkeypatch):
        monkeypatch.setattr(Loop, "prepare", lambda loop: None)
        monkeypatch.setattr(Loop, "run", lambda loop, images: np.zeros(len(images)))
        for _ in range(2):
            vae.fit(X, epochs=1, batch_sz=BATCH, plot=False, compile=True)
        compiling, first, second = capsys.readouterr().out.splitlines()
        assert re.fullmatch(r"compiling, once: \d+\.\d s", compiling)
        assert first.startswith("epoch 1/1")
        assert second.startswith("epoch 1/1")

    def test_nothing_when_off(self, vae, X, capfd):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            vae.fit(X, epochs=2, batch_sz=BATCH, **QUIET)
        assert capfd.readouterr() == ("", "")

    def test_the_pace_keeps_chunks_short(self):
        pace = Pace(128, seconds=0.4)
        for _ in range(8):
            pace.observe(pace.steps, pace.steps * 0.05)
        assert pace.steps == 8
        for _ in range(8):
            pace.observe(pace.steps, pace.steps * 0.001)
        assert pace.steps == 128
