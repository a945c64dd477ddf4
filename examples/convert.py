"""From a trained model to today's formats; then its decoder, written with NumPy alone.

Writes the files of each format that is installed, page.html to open in a browser, and
convert_plane.png, decoded from weights.npz without TensorFlow.
"""

import argparse
from pathlib import Path

import numpy as np

from vae_tf1 import ConversionError, VariationalAutoencoder, plots
from vae_tf1.data.mnist import get_mnist

FORMATS = ("npz", "safetensors", "onnx", "keras", "saved_model", "page")


def decode(weights: dict[str, np.ndarray], Z: np.ndarray) -> np.ndarray:
    """Return the probabilities that codes decode to: p(x|z) = Bernoulli(sigmoid(logits))."""
    hidden = np.maximum(Z @ weights["Variable_4"] + weights["Variable_5"], 0)
    logits = hidden @ weights["Variable_6"] + weights["Variable_7"]
    return 1 / (1 + np.exp(-logits))


def main(args: argparse.Namespace) -> None:
    """Train, export, and decode a plane of codes from the exported weights."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, labels = get_mnist(args.images, path=args.data, split="train", seed=0)
    steps = np.linspace(-3, 3, 20)
    plane = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    with VariationalAutoencoder(784, [200, 2], seed=0) as vae:
        vae.fit(X > 0.5, epochs=args.epochs, plot=False)
        for name in FORMATS:
            try:
                done = vae.export(args.output, name, X > 0.5, labels)
            except ConversionError as error:  # a package that is not installed
                print(f"{name:12} {error}")
                continue
            files = ", ".join(file.name for file in done.files)
            print(f"{name:12} {done.difference:.1e}  {files}")
        expected = vae.prior_predictive_with_input(plane)

    with np.load(args.output / "weights.npz") as file:
        decoded = decode(dict(file), plane)
    print(f"NumPy alone  {np.abs(decoded - expected).max():.1e}")
    figure = plots.decoded_plane(decoded.reshape(20, 20, 784), (-3, 3, -3, 3))
    figure.savefig(args.output / "convert_plane.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for the files")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=30_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    main(parser.parse_args())
