"""Outliers two ways: digits with a trained model, a table with a mixture trained jointly.

Writes outlier_scores.png and outlier_images.png.
"""

import argparse
from pathlib import Path

import numpy as np

from vae_tf1 import OutlierDetector, VariationalAutoencoder, plots
from vae_tf1.data.mnist import get_mnist
from vae_tf1.mixture import auroc


def main(args: argparse.Namespace) -> None:
    """Learn one digit, score all; learn a table, score rows that break its rule."""
    args.output.mkdir(parents=True, exist_ok=True)
    X, labels = get_mnist(path=args.data, split="train", seed=0)
    test, digits = get_mnist(5000, path=args.data, split="test", seed=0, quiet=True)
    X, test = X > 0.5, test > 0.5
    normal = X[labels == args.digit][: args.images]
    with VariationalAutoencoder(784, [200, 20], seed=0) as vae:
        vae.fit(normal, epochs=args.epochs, plot=False)
        detector = OutlierDetector(vae, n_gmm=2, contamination=0.05).fit(normal)
        scores, flags = detector.score_samples(test), detector.predict(test)
    own = digits == args.digit
    print(f"AUROC of the digit against the others: {auroc(-scores[own], -scores[~own]):.3f}")
    shares = [np.mean(flags[rows] == -1) for rows in (own, ~own)]
    print("called outliers: {:.1%} of the digit, {:.1%} of the others".format(*shares))
    energies = {d: -scores[digits == d] for d in range(10) if d != args.digit}
    nearest = min(energies, key=lambda d: np.median(energies[d]))
    others = np.concatenate([energies[d] for d in energies if d != nearest])
    sets = {f"digit {nearest}, the most similar": energies[nearest], "all other digits": others}
    title = f"Energy of the digit {args.digit} and of the others"
    plots.energies(-scores[own], sets, title=title).savefig(args.output / "outlier_scores.png")
    order = np.argsort(scores)
    images = {"Most like it": test[order[:-65:-1]], "Least like it": test[order[:64]]}
    plots.sample_sets(images).savefig(args.output / "outlier_images.png")

    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, (1200, 1))
    table = np.concatenate([t, t**2, t**3, np.exp(t)], axis=1) + 0.05 * rng.normal(size=(1200, 4))
    broken = rng.permuted(table[1000:], axis=0)  # each column on its own: the rule is gone
    jointly = OutlierDetector(n_gmm=2, epochs=20 * args.epochs, contamination=0.05, seed=0)
    jointly.fit(table[:1000])
    kept, lost = -jointly.score_samples(table[1000:]), -jointly.score_samples(broken)
    print(f"AUROC of a table against its columns permuted: {auroc(kept, lost):.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--data", help="MNIST's file or folder, or 'builtin'")
    parser.add_argument("--digit", type=int, default=4, help="the one that is normal")
    parser.add_argument("--images", type=int, default=2000, help="images of it to train on")
    parser.add_argument("--epochs", type=int, default=20, help="of training")
    main(parser.parse_args())
