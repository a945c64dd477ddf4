"""The Gaussian latent layer: samples, the divergence to its prior, and its use in a Keras model.

Writes gaussian_layer.png.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

from vae_tf1 import Gaussian, kl_divergence_gaussians


def in_a_session(layer: Gaussian, mean: np.ndarray, log_var: np.ndarray) -> tuple:
    """Sample and measure through placeholders of unknown batch size, as TensorFlow 1 did."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        tf.compat.v1.set_random_seed(0)
        z_mean = tf.compat.v1.placeholder(tf.float32, (None, mean.shape[1]))
        z_log_var = tf.compat.v1.placeholder(tf.float32, (None, mean.shape[1]))
        outputs = layer((z_mean, z_log_var)), layer.KL_divergence(z_mean, z_log_var)
        return sess.run(outputs, {z_mean: mean, z_log_var: log_var})


def in_a_keras_model(layer: Gaussian, x: np.ndarray) -> np.ndarray:
    """Sample inside a model whose two heads are the mean and the log variance."""
    inputs = tf.keras.Input((x.shape[1],))
    heads = [tf.keras.layers.Dense(2)(inputs), tf.keras.layers.Dense(2)(inputs)]
    return tf.keras.Model(inputs, layer(heads)).predict(x, verbose=0)


def main(args: argparse.Namespace) -> None:
    """Use the layer three ways, print the numbers and save the figure."""
    args.output.mkdir(parents=True, exist_ok=True)
    layer = Gaussian(prior_mean=0.5, prior_variance=2.0)
    mean, log_var = np.float32([-2.0, 0.5, 3.0]), np.float32([-2.0, 0.69314718, 1.0])

    rows = np.ones((args.samples, 1), np.float32)
    z, kl = in_a_session(layer, rows * mean, rows * log_var)
    closed_form = [
        float(kl_divergence_gaussians(m, np.exp(v / 2), 0.5, np.sqrt(2)))
        for m, v in zip(mean, log_var, strict=True)
    ]
    print("mean of the layer          ", mean)
    print(f"mean of {args.samples:,} samples    ", z.mean(axis=0).round(3))
    print("deviation of the layer     ", np.exp(log_var / 2).round(3))
    print("deviation of the samples   ", z.std(axis=0).round(3))
    print("KL to the prior N(0.5, 2)  ", kl[0].round(6))
    print("the same in closed form    ", np.round(closed_form, 6))
    print("in a Keras model           ", in_a_keras_model(layer, np.ones((4, 3))).shape)
    layer.plot(mean, log_var).savefig(args.output / "gaussian_layer.png")
    print(f"Figure in {args.output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--samples", type=int, default=100_000, help="samples to draw")
    main(parser.parse_args())
