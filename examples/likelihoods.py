"""Grey digits under three likelihoods: what each decodes, draws, and gives the images.

Writes likelihoods.png: digits, and under each likelihood ten means above ten samples.
"""

import argparse
from pathlib import Path

import numpy as np

from vae_tf1 import VariationalAutoencoder, plots
from vae_tf1.data.mnist import get_mnist
from vae_tf1.likelihoods import Categorical, Gaussian

GREYS = 8  # of the categorical likelihood
LIKELIHOODS = {
    "continuous Bernoulli": ("continuous_bernoulli", 1),
    "Gaussian": (Gaussian("pixel", least_stddev=0.05), 1),
    f"{GREYS} classes": (Categorical(GREYS), GREYS - 1),
}


def main(args: argparse.Namespace) -> None:
    """Train a model with each likelihood, print its ELBO on test images, save the figure."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, _ = get_mnist(args.images, path=args.data, split="train", seed=0)
    test, _ = get_mnist(1000, path=args.data, split="test", seed=0, quiet=True)
    shown = {"digits": test[:10]}
    for name, (likelihood, largest) in LIKELIHOODS.items():
        images, held_out = (np.rint(x * largest) if largest > 1 else x for x in (X, test))
        with VariationalAutoencoder(784, [200, 20], likelihood=likelihood, seed=0) as vae:
            vae.fit(images, epochs=args.epochs, plot=False, progress=False)
            # Nats of a density of [0, 1]^784, of R^784, of probabilities: not to be compared.
            print(f"{name:20}  ELBO {vae.evaluate(held_out).elbo:9.1f} nats a test image")
            samples = vae.posterior_predictive_sample(held_out[:10])
            shown[name] = np.vstack([vae.reconstruct(held_out[:10]), samples]) / largest
    sets = {title: np.clip(images, 0, 1) for title, images in shown.items()}
    plots.sample_sets(sets, columns=5).savefig(args.output / "likelihoods.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=10_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    main(parser.parse_args())
