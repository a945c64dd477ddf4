"""Published log-likelihoods, reproduced: ``python -m benchmarks.likelihood ROW``.

A row is one model, trained and estimated by one published protocol. What a run has trained is kept
in a folder, so a run that was stopped goes on. See docs/likelihood.md for the table.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.table import show
from vae_tf1 import DenseLayer, VariationalAutoencoder
from vae_tf1.data.mnist import load_mnist
from vae_tf1.flows import InverseAutoregressive
from vae_tf1.model.learning_rates import StepDecay
from vae_tf1.priors import VampPrior

__all__ = ["ROWS", "Row", "main"]

_SEED = 0


@dataclass(frozen=True)
class Row:
    """A protocol.

    Attributes
    ----------
    what
        The model in words.
    published
        log p(x) in nats, and who published it.
    model
        Arguments of the model, given the training images and the number of steps of an epoch.
    n_train
        How many of the training images are trained on: 50,000 of the 60,000 if the last 10,000 are
        for validation, as in Larochelle's files.
    epochs, batch_sz
        Length of the training, and images a step.
    binarization
        Of the training images: "fixed" or "dynamic". The test images are always drawn once.
    n_samples
        K of the estimate.
    patience
        Epochs without a better ELBO of the validation images until the training stops; None for a
        training that goes on to the end.
    """

    what: str
    published: str
    model: Callable[[np.ndarray, int], dict[str, Any]]
    n_train: int
    epochs: int
    batch_sz: int
    binarization: str
    n_samples: int
    patience: int | None = None


def _some(X: np.ndarray, n: int) -> np.ndarray:
    return X[np.random.default_rng(_SEED).choice(len(X), n, replace=len(X) < n)]


def _tanh(*widths: int) -> list[DenseLayer]:
    return [DenseLayer(None, width, "tanh", initializer="glorot") for width in widths]


def _altosaar(what: str, published: str, parts: Callable[[np.ndarray], dict[str, Any]]) -> Row:
    """Return the mean-field model with other parts, given the training images."""

    def arguments(X: np.ndarray, n_batches: int) -> dict[str, Any]:
        return {
            "hidden_layer_sizes": [256, 256, 128],
            "optimizer": "rmsprop-centered",
            "learning_rate": 1e-3,
            **parts(X),
        }

    return Row(
        what=f"784-256-256-128, relu{what}",
        published=published,
        model=arguments,
        n_train=50_000,
        epochs=400,
        batch_sz=128,
        binarization="fixed",
        n_samples=128,
        patience=20,
    )


def _burda(k: int) -> Callable[[np.ndarray, int], dict[str, Any]]:
    """Return the model with one stochastic layer, and the learning rates that it is trained with.

    Stage i = 0 … 7 has 3^i epochs at a rate of 0.001 · 10^(−i/7). Adam's ε is for the gradient of
    the mean of a minibatch of 20, and the gradient here is that of the sum.
    """
    stages = np.cumsum([3**i for i in range(7)])

    def arguments(X: np.ndarray, n_batches: int) -> dict[str, Any]:
        rate = StepDecay(0.001, 10 ** (-1 / 7), [int(epoch) * n_batches for epoch in stages])
        return {
            "hidden_layer_sizes": [50],
            "encoder": _tanh(200, 200),
            "decoder": _tanh(200, 200),
            "importance_samples": k,
            "optimizer": partial(tf.compat.v1.train.AdamOptimizer, epsilon=20 * 1e-4),
            "learning_rate": rate,
        }

    return arguments


ROWS = {
    "rezende": Row(
        what="784-400-40, relu",
        published="-89.78 ± 0.01 (pythae), -89.9 (Rezende & Mohamed 2015)",
        model=lambda X, n_batches: {
            "hidden_layer_sizes": [400, 40],
            "optimizer": "adam",
            "learning_rate": StepDecay(
                1e-4, 10 ** (-1 / 5), [epoch * n_batches for epoch in (200, 350, 500)]
            ),
        },
        n_train=50_000,
        epochs=500,
        batch_sz=100,
        binarization="fixed",
        n_samples=200,
    ),
    "altosaar": _altosaar("", "-97.10 (altosaar)", lambda X: {}),
    "altosaar-iaf": _altosaar(
        ", inverse autoregressive flow of 2",
        "-95.33 (altosaar)",
        lambda X: {"flow": InverseAutoregressive(2, hidden=[256])},
    ),
    "altosaar-vamp": _altosaar(
        ", VampPrior of 100",
        "none",
        lambda X: {"prior": VampPrior(100, _some(X, 100))},
    ),
    **{
        f"burda-{k}": Row(
            what=f"784-200-200-50, tanh, k = {k}",
            published=published,
            model=_burda(k),
            n_train=60_000,
            epochs=3280,
            batch_sz=20,
            binarization="dynamic",
            n_samples=5000,
        )
        for k, published in (
            (1, "-86.76 (Burda et al. 2016), -86.35 with 100 latents (a TensorFlow 2 version)"),
            (5, "-85.54 (Burda et al. 2016), -85.18 with 100 latents (a TensorFlow 2 version)"),
        )
    },
}


class Images(NamedTuple):
    """What a row is trained and measured on: (N, 784), binary or grey."""

    train: np.ndarray
    validation: np.ndarray | None
    test: np.ndarray
    source: str


def images_for(row: Row, path: str | None, most: int | None) -> Images:
    """Load MNIST under the protocol of a row, or the first `most` images of each part."""
    dynamic = row.binarization == "dynamic"
    train = load_mnist(path, "train", binarization=None if dynamic else "fixed")
    test = load_mnist(path, "test", binarization="fixed", quiet=True)
    values = np.float32(train.images) / 255 if dynamic else train.images
    validation = None if row.patience is None else values[row.n_train :][:most]
    source = "Larochelle's files" if test.source.kind == "amat" else "drawn with seed 0"
    if test.source.is_builtin:
        source = f"built-in digits, not MNIST, {source}"
    return Images(values[: row.n_train][:most], validation, test.images[:most], source)


class Clock:
    """The seconds of a training, kept in a file so that those before an interruption count.

    Parameters
    ----------
    file
        Where they are kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._before = json.loads(file.read_text())["seconds"] if file.exists() else 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """The seconds of training until now."""
        return self._before + time.perf_counter() - self._began

    def __call__(self, epoch: int, logs: object) -> None:
        """Note an epoch that is done: a callback of `fit`."""
        self._file.write_text(json.dumps({"seconds": self.seconds}))


def run(
    row: Row, images: Images, folder: Path, *, epochs: int | None = None, K: int | None = None
) -> dict[str, Any]:
    """Train a row, or go on with it, estimate log p(x) of the test images, and return the result.

    Parameters
    ----------
    row, images
        What is trained, and on what.
    folder
        Where the run is kept.
    epochs, K
        Other numbers than those of the row, for a run that stops early.
    """
    epochs, K = epochs or row.epochs, K or row.n_samples
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"binarization": "dynamic"} if row.binarization == "dynamic" else {}
    if row.patience is not None:
        options |= {"validation_data": images.validation, "patience": row.patience}
    arguments = row.model(images.train, max(1, len(images.train) // row.batch_sz))
    with VariationalAutoencoder(images.train.shape[1], seed=_SEED, **arguments) as vae:
        clock = Clock(folder / "seconds.json")
        vae.fit(
            images.train,
            epochs,
            row.batch_sz,
            plot=False,
            checkpoint_dir=folder / "checkpoints",
            callbacks=[clock],
            **options,
        )
        seconds = json.loads((folder / "seconds.json").read_text())["seconds"]
        estimate = vae.log_likelihood(images.test, K, return_details=True)
        result = {
            "epochs": vae.epochs_done,
            "seconds": round(seconds),
            "elbo": vae.evaluate(images.test).elbo,
            "log_likelihood": float(estimate.values.mean()),
            # of the mean over the images, from the noise of the codes alone
            "error": float(np.sqrt(np.square(estimate.standard_error).sum()) / len(images.test)),
            "K": K,
            "effective_sample_size": float(np.median(estimate.effective_sample_size)),
        }
    (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the rows that the command line names, and print them as a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.likelihood", description=__doc__.splitlines()[0]
    )
    parser.add_argument("rows", nargs="+", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--data", help="MNIST's folder or file, Larochelle's .amat files included")
    parser.add_argument(
        "--folder", type=Path, default=Path("likelihood-runs"), help="of the runs (likelihood-runs)"
    )
    parser.add_argument("--epochs", type=_count, help="stop after so many epochs")
    parser.add_argument("--samples", type=_count, help="K, if not that of the row")
    parser.add_argument("--images", type=_count, help="only the first images of each part: a try")
    options = parser.parse_args(arguments)

    shown = []
    for name in options.rows:
        row = ROWS[name]
        images = images_for(row, options.data, options.images)
        result = run(row, images, options.folder / name, epochs=options.epochs, K=options.samples)
        shown.append(
            (
                f"{name}: {row.what}",
                f"{row.binarization}, {images.source}",
                _epochs(row, result["epochs"], options.epochs or row.epochs),
                f"{result['seconds']:,}",
                f"{result['log_likelihood']:.2f} ± {result['error']:.2f}",
                f"{result['K']:,}",
                row.published,
            )
        )
    show(
        f"log p(x) of {len(images.test):,} test images, nats an image",
        ("", "binarization", "epochs", "seconds", "ours", "K", "published"),
        shown,
    )


def _epochs(row: Row, done: int, asked: int) -> str:
    if done < asked:
        return f"{done:,} (stopped by validation)"
    return f"{done:,}" if done >= row.epochs else f"{done:,} of {row.epochs:,}"


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"a count from 1 on is expected, not {text!r}")
    return value


if __name__ == "__main__":
    main()
