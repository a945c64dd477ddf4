"""`fit` ends with the plot of the ELBO per image, where there is something to show it on."""

import warnings

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from vae_tf1 import VariationalAutoencoder, plots


@pytest.fixture
def vae():
    with VariationalAutoencoder(6, [2], seed=1) as vae:
        yield vae


X = np.random.default_rng(0).random((30, 6)) < 0.5


def test_the_curve_of_every_step_is_shown(vae, monkeypatch):
    shown = []
    monkeypatch.setattr(
        plt, "show", lambda **_: shown.append(plt.gcf().axes[0].lines[0].get_ydata())
    )
    costs = vae.fit(X, epochs=2, batch_sz=10, progress=False)
    np.testing.assert_array_equal(shown, [costs])
    vae.fit(X, epochs=1, batch_sz=10, progress=False, plot=False)
    assert len(shown) == 1


def test_in_a_loop_no_call_waits_and_one_window_shows_the_latest(vae, monkeypatch):
    asked = []
    monkeypatch.setattr(plt, "show", lambda **how: asked.append((how, plt.get_fignums())))
    for _ in range(3):
        vae.fit(X, epochs=1, batch_sz=10, progress=False)
    assert asked == [({"block": False}, [1])] * 3


def test_without_a_display_nothing_is_said_and_nothing_left_open(vae):
    assert matplotlib.get_backend().lower() == "agg"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vae.fit(X, epochs=1, batch_sz=10, progress=False)
    assert plt.get_fignums() == []


def test_a_display_that_does_not_answer_costs_nothing(monkeypatch):
    def fail():
        raise RuntimeError("cannot connect to X server")

    monkeypatch.setattr(plt, "figure", fail)
    plots.show_elbo_curve([1.0, 2.0])
