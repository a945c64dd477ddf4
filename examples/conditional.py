"""Digits on request: a conditional model, and a picture with a row for each digit.

Writes conditional.png (each column is one code) and conditional_styles.png (a hand writes all ten).
"""

import argparse
from pathlib import Path

import numpy as np

from vae_tf1 import VariationalAutoencoder, plots
from vae_tf1.data.mnist import get_mnist

COLUMNS = 12


def main(args: argparse.Namespace) -> None:
    """Train on images and labels, print the ELBO on test images, save the figures."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, Y = get_mnist(args.images, path=args.data, split="train", seed=0)
    test, labels = get_mnist(1000, path=args.data, split="test", seed=0, quiet=True)
    X, test = X > 0.5, test > 0.5
    with VariationalAutoencoder(784, [200, 10], n_labels=10, seed=0) as vae:
        vae.fit(X, labels=Y, epochs=args.epochs, plot=False, progress=False)
        right, wrong = (vae.evaluate(test, y).elbo for y in (labels, (labels + 1) % 10))
        print(f"ELBO {right:.1f} nats a test image, with the next digit's label {wrong:.1f}")

        digits = np.repeat(np.arange(10), COLUMNS)
        codes = np.random.default_rng(0).standard_normal((COLUMNS, 10))
        drawn = vae.prior_predictive_with_input(np.tile(codes, (10, 1)), digits)
        hands = vae.transform(test[:COLUMNS], labels[:COLUMNS])
        written = vae.prior_predictive_with_input(np.tile(hands, (10, 1)), digits)
    plots.sample_sets({"drawn from the prior": drawn}, columns=COLUMNS).savefig(
        args.output / "conditional.png"
    )
    shown = {"images and what their hands would write": np.vstack([test[:COLUMNS], written])}
    plots.sample_sets(shown, columns=COLUMNS).savefig(args.output / "conditional_styles.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=10_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    main(parser.parse_args())
