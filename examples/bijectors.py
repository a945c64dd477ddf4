"""Bijectors in graph mode: TensorFlow Probability's, our Cubic, and a flow that is trained."""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_probability import bijectors as tfb
from tensorflow_probability import distributions as tfd

from vae_tf1 import Cubic, fit_distribution, plots


def curves(x: np.ndarray, sess: tf.compat.v1.Session) -> dict:
    """Draw what each bijector makes of a line, or of a square full of points."""
    square = np.random.default_rng(0).random((1500, 2), np.float32)
    loc, scale, temps = [0.5, 1.0, 1.5, 2.0], [1.0, 1.0, 2.0, 2.0], [0.5, 0.2, 0.1]
    diag = tf.linalg.LinearOperatorDiag([1.5, -0.5])
    full = tf.linalg.LinearOperatorFullMatrix([[0.5, 1.5], [1.5, 0.5]])
    clouds = {
        "ScaleMatvecDiag": tfb.ScaleMatvecDiag([1.5, -0.5])(square),
        "ScaleMatvecTriL": tfb.ScaleMatvecTriL([[-1.0, 0.0], [-1.0, -1.0]])(square),
        "LinearOperatorDiag": tfb.ScaleMatvecLinearOperator(diag)(square),
        "LinearOperatorFullMatrix": tfb.ScaleMatvecLinearOperator(full)(square),
    }
    softfloor, gumbel = sess.run((tfb.Softfloor(temps)(x), tfb.GumbelCDF(loc, scale)(x)))
    cubic = Cubic([1.0, -2.0], [-1.0, 0.4], validate_args=True)
    cubed = sess.run((cubic.forward(x), cubic.inverse(x), cubic.forward_log_det_jacobian(x, 0)))
    return {
        "softfloor": plots.curves(x, softfloor, temps, title="Softfloor(temperature)"),
        "gumbel": plots.curves(x, gumbel, loc, title="GumbelCDF(loc)"),
        "clouds": plots.clouds(square, sess.run(clouds)),
        "cubic": plots.bijector_curves(x, *cubed, ["a=1, b=-1", "a=-2, b=0.4"], title="Cubic"),
    }


def training(x: np.ndarray, sess: tf.compat.v1.Session) -> dict:
    """Fit an inverse cubic flow to a mixture, and print its parameters."""
    data = tfd.MixtureSameFamily(tfd.Categorical(probs=[0.45, 0.55]), tfd.Normal([2.3, -0.8], 0.4))
    flow = tfb.Invert(Cubic(tf.Variable(0.25), tf.Variable(-0.1)))(tfd.Normal(0.0, 1.0))
    sess.run(tf.compat.v1.global_variables_initializer())
    before, density, samples = sess.run((flow.prob(x), data.prob(x), data.sample(11_000, seed=0)))
    losses = fit_distribution(flow, samples[:10_000], samples[10_000:], seed=0)
    (a, b), after = sess.run((flow.trainable_variables, flow.prob(x)))
    print(f"trained cubic: a = {a:.3f}, b = {b:.3f}; in the tutorial: a = 0.577, b = -0.429")
    return {
        "densities": plots.densities(x, density, {"Untrained": before, "Trained": after}),
        "likelihood": plots.likelihood_curves(*losses),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    (output := parser.parse_args().output).mkdir(parents=True, exist_ok=True)
    x = np.linspace(-4, 4, 800, dtype=np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        for name, figure in (curves(x[:, None], sess) | training(x, sess)).items():
            figure.savefig(output / f"bijector_{name}.png")
