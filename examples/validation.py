"""Training that is watched: Adam, a schedule, images drawn anew each epoch, early stopping.

Writes validation.png, and prints the ELBO of test images for the best weights.
"""

import argparse
from pathlib import Path

from vae_tf1 import CosineDecay, VariationalAutoencoder, plots
from vae_tf1.data.binarization import binarize
from vae_tf1.data.mnist import get_mnist


def main(args: argparse.Namespace) -> None:
    """Train with a validation set, print what it said, save the figure."""
    args.output.mkdir(parents=True, exist_ok=True)
    grey, _ = get_mnist(args.images, path=args.data, split="train", seed=0)
    test, _ = get_mnist(min(args.images, 5000), path=args.data, split="test", seed=0, quiet=True)
    steps = args.epochs * int(0.9 * len(grey) / 64)

    def stop_collapse(epoch: int, logs: dict) -> None:
        if logs["val_active_units"] == 0:
            vae.stop_training = True  # the decoder ignores the code

    with VariationalAutoencoder(
        784,
        [200, 20],
        seed=0,
        optimizer="adam",
        learning_rate=CosineDecay(1e-3, steps),
        clip_norm=1e4,
    ) as vae:
        vae.fit(
            grey,
            epochs=args.epochs,
            plot=False,
            binarization="dynamic",
            validation_data=0.1,
            patience=5,
            callbacks=[stop_collapse],
            log_dir=args.log_dir,
        )
        best = max(vae.validation_history, key=lambda validation: validation.elbo)
        print(f"best epoch {best.epoch}: ELBO {best.elbo:.1f}, {best.active_units} active units")
        print(f"test images: ELBO {vae.evaluate(binarize(test, 'fixed')).elbo:.1f}")
        figure = plots.training_and_validation(vae.costs, vae.validation_history)
    figure.savefig(args.output / "validation.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--log-dir", help="folder for TensorBoard")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--images", type=int, default=30_000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=20, help="of training, at most")
    main(parser.parse_args())
