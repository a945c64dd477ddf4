"""log p(x) of digits, and how the bounds on it tighten with the number of codes.

Writes likelihood.png: the bound of K codes of a model trained on the ELBO, and of one trained on
the importance-weighted bound of five codes.
"""

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from vae_tf1 import VariationalAutoencoder
from vae_tf1.data.mnist import get_mnist

CODES = (1, 5, 20, 100, 500)


def main(args: argparse.Namespace) -> None:
    """Train both models, print their bounds on test images, save the figure."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, _ = get_mnist(args.images, args.data, "train", seed=0, binarization="fixed")
    test, _ = get_mnist(200, args.data, "test", seed=0, binarization="fixed", quiet=True)

    axes = (figure := Figure()).add_subplot()
    for k in (1, 5):
        with VariationalAutoencoder(784, [200, 20], importance_samples=k, seed=0) as vae:
            vae.fit(X, epochs=args.epochs, plot=False, progress=False)
            estimates = [vae.log_likelihood(test, K, return_details=True) for K in CODES]
        bounds = [estimate.values.mean() for estimate in estimates]
        size = sorted(estimates[-1].effective_sample_size)[len(test) // 2]
        print(
            f"trained with k = {k}: ELBO {bounds[0]:.2f}, log p(x) {bounds[-1]:.2f} nats; "
            f"{size:.1f} of {CODES[-1]} codes count"
        )
        axes.semilogx(CODES, bounds, "o-", label=f"trained with k = {k}")
    axes.set(xlabel="codes an image", ylabel="bound on log p(x), nats an image")
    axes.legend()
    figure.savefig(args.output / "likelihood.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=10_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    main(parser.parse_args())
