"""The posterior of a few digits, with flows and without.

Writes flows.png: codes drawn from q(z|x) of each of eight images, for three posteriors.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from vae_tf1 import VariationalAutoencoder, flows
from vae_tf1.data.mnist import get_mnist

DRAWS = 400  # codes of an image


def main(args: argparse.Namespace) -> None:
    """Train a model with each flow, print its ELBO on test images, save the figure."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, _ = get_mnist(args.images, path=args.data, split="train", seed=0)
    test, _ = get_mnist(1000, path=args.data, split="test", seed=0, quiet=True)
    X, test = X > 0.5, test > 0.5
    kinds = {
        "no flow": None,
        "planar flow of 10": flows.Planar(10),
        "inverse autoregressive flow of 2": flows.InverseAutoregressive(2, hidden=[64]),
    }
    figure = Figure(figsize=(12, 4), layout="constrained")
    for ax, (name, flow) in zip(figure.subplots(1, 3), kinds.items(), strict=True):
        with VariationalAutoencoder(784, [200, 2], flow=flow, kl="monte_carlo", seed=0) as vae:
            vae.fit(X, epochs=args.epochs, plot=False, progress=False)
            print(f"{name:32}  ELBO {vae.evaluate(test).elbo:8.2f} nats a test image")
            for image in test[:8]:
                Z = vae.sess.run(vae.Z, {vae.X: np.tile(image, (DRAWS, 1))})
                ax.scatter(*Z.T, s=3)
        ax.set(title=name, xlabel="z₁", ylabel="z₂")
    figure.savefig(args.output / "flows.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=10_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    main(parser.parse_args())
