"""Compare outlier detectors by AUROC: ``python -m benchmarks.outliers``; needs scikit-learn.

A detector is trained on half of the normal rows, and scores the other half and all others. With
seed s, digit s is the normal one; of the breast cancers, the benign ones are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from benchmarks.table import show
from vae_tf1 import OutlierDetector, VariationalAutoencoder
from vae_tf1.data.mnist import get_mnist
from vae_tf1.mixture import auroc

_NOISE = 10  # draws that the ELBO of a row is the mean of
_STEPS = 1000  # of training, about, for every model


class Rows(NamedTuple):
    """What to train on, and what to score; the training rows have values in [0, 1]."""

    train: np.ndarray
    inliers: np.ndarray
    outliers: np.ndarray


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outliers", description=__doc__)
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=1000, help="of MNIST to train on (1000)")
    parser.add_argument("--seeds", type=int, default=5, help="how many (5)")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    images = get_mnist(path=options.data, split="all", seed=0)
    digits, labels = load_digits(return_X_y=True)
    table, benign = load_breast_cancer(return_X_y=True)
    sets: dict[str, Callable[[int], Rows]] = {
        "MNIST": lambda seed: _one_class(*images, seed, seed, limit=options.images),
        "digits": lambda seed: _one_class(digits / 16, labels, seed, seed),
        "breast cancer": lambda seed: _scaled(_one_class(table, benign, 1, seed)),
    }
    methods = ("IsolationForest", "LocalOutlierFactor", "ELBO", "of a model", "jointly")
    found = {}
    for name, rows_of in sets.items():
        for seed in range(options.seeds):
            rows = rows_of(seed)
            found[name, seed] = [*_scikit_learn(rows, seed), *_ours(rows, seed)]
            print(name, seed, *(f"{value:.3f}" for value in found[name, seed]), flush=True)
    shown = []
    for name in sets:
        values = np.array([found[name, seed] for seed in range(options.seeds)])
        cells = (
            f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(*_moments(values), strict=True)
        )
        shown.append((name, *cells))
    show(
        f"Outliers: AUROC, mean ± standard deviation over {options.seeds} seeds",
        ("", *methods),
        shown,
        f"At most {options.images:,} images of MNIST to train on; {images[0].shape[0]:,} in all. "
        f"{(time.perf_counter() - began) / 60:.0f} minutes.",
    )


def _one_class(X: np.ndarray, Y: np.ndarray, normal: int, seed: int, limit: int = 5000) -> Rows:
    order = np.random.default_rng(seed).permutation(len(X))
    inliers, outliers = order[Y[order] == normal], order[Y[order] != normal]
    train, rest = np.split(inliers, [min(len(inliers) // 2, limit)])
    return Rows(X[train], X[rest[:limit]], X[outliers[: 2 * limit]])


def _scaled(rows: Rows) -> Rows:
    """Map each column's range in the training rows to [0, 1]."""
    least, most = rows.train.min(axis=0), rows.train.max(axis=0)
    return Rows(*((part - least) / (most - least) for part in rows))


def _scikit_learn(rows: Rows, seed: int) -> list[float]:
    detectors = IsolationForest(random_state=seed), LocalOutlierFactor(novelty=True)
    return [_auroc(detector.fit(rows.train).score_samples, rows) for detector in detectors]


def _ours(rows: Rows, seed: int) -> list[float]:
    n, D = rows.train.shape
    inside = Rows(*(np.clip(part, 0, 1) for part in rows))  # what the model takes
    batch_sz = min(64, n)
    epochs = max(1, round(_STEPS * batch_sz / n))
    with VariationalAutoencoder(D, [200, 20] if D > 100 else [32, 4], seed=seed) as vae:
        vae.fit(inside.train, epochs=epochs, batch_sz=batch_sz, plot=False, progress=False)
        of_model = OutlierDetector(vae, seed=seed).fit(inside.train)
        found = [_auroc(_elbo(vae), inside), _auroc(of_model.score_samples, inside)]
    jointly = OutlierDetector(epochs=epochs, batch_sz=batch_sz, seed=seed).fit(rows.train)
    return [*found, _auroc(jointly.score_samples, rows)]


def _elbo(vae: VariationalAutoencoder) -> Callable[[np.ndarray], np.ndarray]:
    with vae.graph.as_default():
        one_pass = vae.forward(vae.X, vae.epsilon)
        elbo = one_pass.log_likelihood - one_pass.kl

    def score(X: np.ndarray) -> np.ndarray:
        return np.mean([vae.sess.run(elbo, {vae.X: X}) for _ in range(_NOISE)], axis=0)

    return score


def _auroc(score: Callable[[np.ndarray], np.ndarray], rows: Rows) -> float:
    return auroc(-score(rows.inliers), -score(rows.outliers))


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values.mean(axis=0), values.std(axis=0)


if __name__ == "__main__":
    main()
