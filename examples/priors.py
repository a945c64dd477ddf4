"""Codes of digits above the density of each prior that they were trained with.

Writes priors.png: two-dimensional codes on log p(z) under N(0, I), a mixture and a VampPrior.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from vae_tf1 import VariationalAutoencoder, priors
from vae_tf1.data.mnist import get_mnist

SIDE = 6  # of the plane, from −SIDE to SIDE


def main(args: argparse.Namespace) -> None:
    """Train a model with each prior, print its ELBO on test images, save the figure."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, _ = get_mnist(args.images, path=args.data, split="train", seed=0)
    test, labels = get_mnist(1000, path=args.data, split="test", seed=0, quiet=True)
    X, test = X > 0.5, test > 0.5
    steps = np.linspace(-SIDE, SIDE, 121)
    plane = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)

    kinds = {
        "N(0, I)": None,
        "mixture of 10": priors.Mixture(10),
        "VampPrior of 50": priors.VampPrior(50, inputs=X[:50]),
    }
    figure = Figure(figsize=(12, 4), layout="constrained")
    for ax, (name, prior) in zip(figure.subplots(1, 3), kinds.items(), strict=True):
        with VariationalAutoencoder(784, [200, 2], prior=prior, kl="monte_carlo", seed=0) as vae:
            vae.fit(X, epochs=args.epochs, plot=False, progress=False)
            print(f"{name:16}  ELBO {vae.evaluate(test).elbo:8.2f} nats a test image")
            with vae.graph.as_default():
                log_prob = vae.prior_distribution.log_prob(vae.Z_input)
            density = vae.sess.run(log_prob, {vae.Z_input: plane}).reshape(121, 121)
            codes = vae.transform(test)
        ax.contourf(steps, steps, np.maximum(density, -12), 13, cmap="Greys")
        ax.scatter(*codes.T, s=4, c=labels, cmap="tab10")
        ax.set(title=name, xlim=(-SIDE, SIDE), ylim=(-SIDE, SIDE), xlabel="z₁", ylabel="z₂")
    figure.savefig(args.output / "priors.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=10_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    main(parser.parse_args())
