"""A convolutional model and a dense one, trained for as long as each other.

Prints log p(x) of test images under both, and writes networks.png: samples of both.
"""

import argparse
import time
from pathlib import Path

from vae_tf1 import DenseLayer, VariationalAutoencoder, plots
from vae_tf1.data.mnist import get_mnist
from vae_tf1.model.layers import Conv2DLayer, Conv2DTransposeLayer, Flatten, Reshape


def convolutional() -> VariationalAutoencoder:
    """Return a model whose networks see pictures; the last layer of each is the model's own."""
    encoder = [
        Reshape((28, 28, 1)),
        Conv2DLayer(16, strides=2, f="leaky_relu"),
        Conv2DLayer(32, strides=2, f="leaky_relu"),
        Flatten(),
    ]
    decoder = [
        DenseLayer(None, 7 * 7 * 32, initializer="glorot"),
        Reshape((7, 7, 32)),
        Conv2DTransposeLayer(8, strides=2, f="leaky_relu"),
        Flatten(),
    ]
    return VariationalAutoencoder(784, [20], encoder=encoder, decoder=decoder, seed=0)


def main(args: argparse.Namespace) -> None:
    """Train both for `epochs` of the slower one, print log p(x), save the figure."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, _ = get_mnist(args.images, path=args.data, split="train", seed=0)
    test, _ = get_mnist(200, path=args.data, split="test", seed=0, quiet=True)
    X, test, seconds, sets = X > 0.5, test > 0.5, 0.0, {}
    dense = VariationalAutoencoder(784, [200, 20], seed=0)
    for name, model in (("convolutional", convolutional()), ("dense", dense)):
        with model as vae:
            began = time.perf_counter()
            while vae.epochs_done < args.epochs or time.perf_counter() - began < seconds:
                vae.fit(X, more_epochs=1, plot=False, progress=False)
            seconds = max(seconds, time.perf_counter() - began)
            nats = vae.log_likelihood(test, 500, progress=False).mean()
            print(f"{name:13}  {vae.epochs_done:4} epochs, log p(x) = {nats:8.2f} nats")
            sets[name] = vae.prior_predictive_sample_with_probs(40)[1]
    plots.sample_sets(sets).savefig(args.output / "networks.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=10_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of the convolutional model")
    main(parser.parse_args())
