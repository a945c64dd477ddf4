"""An autoencoder with two latent coordinates: where the digits lie, and what lies between them.

Writes latent_scatter.png, latent_plane.png and latent_elbo.png.
"""

import argparse
from pathlib import Path

import numpy as np

from vae_tf1 import VariationalAutoencoder, plots
from vae_tf1.data.mnist import get_mnist


def main(args: argparse.Namespace) -> None:
    """Train, print the ELBO and its parts on test images, save the figures."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, _ = get_mnist(args.images, path=args.data, split="train", seed=0)
    test, labels = get_mnist(
        min(args.images, 5000), path=args.data, split="test", seed=0, quiet=True
    )
    X, test = X > 0.5, test > 0.5
    with VariationalAutoencoder(784, [200, 2], seed=0) as vae:
        costs = vae.fit(X, epochs=args.epochs, plot=False)
        elbo, reconstruction, kl = vae.evaluate(test)
        print(f"test images: ELBO {elbo:.1f} = reconstruction {reconstruction:.1f} - KL {kl:.1f}")

        steps = np.linspace(-3, 3, 20)
        plane = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
        decoded = vae.prior_predictive_with_input(plane).reshape(20, 20, 784)
        codes = vae.transform(test)
    plots.elbo_curve(costs).savefig(args.output / "latent_elbo.png")
    plots.latent_scatter(codes, labels).savefig(args.output / "latent_scatter.png")
    plots.decoded_plane(decoded, (-3, 3, -3, 3)).savefig(args.output / "latent_plane.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=30_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    main(parser.parse_args())
