"""A Gaussian mixture on the codes of an autoencoder: which images are digits, and new digits.

Writes mixture_energy.png and mixture_samples.png.
"""

import argparse
from pathlib import Path

import numpy as np

from vae_tf1 import VariationalAutoencoder, fit_mixture, plots
from vae_tf1.data.mnist import builtin_digits, get_mnist
from vae_tf1.mixture import auroc


def main(args: argparse.Namespace) -> None:
    """Train the autoencoder, fit the mixture, score digits against what is none."""
    args.output.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    X, _ = get_mnist(args.images, path=args.data, split="train", seed=0)
    digits, _ = get_mnist(min(args.images, 2000), path=args.data, split="test", seed=0, quiet=True)
    X, digits = X > 0.5, digits > 0.5
    outliers = {
        "inverted": ~digits,
        "shuffled pixels": rng.permuted(digits, axis=1),
        "drawn digits": builtin_digits(len(digits), seed=1)[0] > 127,
    }
    with VariationalAutoencoder(784, [200, 10], seed=0) as vae:
        vae.fit(X, epochs=args.epochs, plot=False)
        codes = vae.transform(X)
        mixture, gaussian = fit_mixture(codes, args.components), fit_mixture(codes, 1)

        energies = mixture.energy(vae.transform(digits))
        others = {name: mixture.energy(vae.transform(set_)) for name, set_ in outliers.items()}
        print(f"mean energy of the digits: {energies.mean():.2f} nats")
        print(f"AUROC of the digits against   mixture of {args.components}   one Gaussian")
        for name, other in others.items():
            one = [gaussian.energy(vae.transform(set_)) for set_ in (digits, outliers[name])]
            print(f"  {name:25}   {auroc(energies, other):.3f}           {auroc(*one):.3f}")

        plots.energies(energies, others).savefig(args.output / "mixture_energy.png")
        prior, fitted = rng.standard_normal((64, 10)), mixture.sample(64, seed=0)
        sets = {"Decoded from N(0, I)": prior, "Decoded from the mixture": fitted}
        images = {title: vae.prior_predictive_with_input(z) for title, z in sets.items()}
        plots.sample_sets(images).savefig(args.output / "mixture_samples.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=20_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=5, help="of training")
    parser.add_argument("--components", type=int, default=20, help="of the mixture")
    main(parser.parse_args())
