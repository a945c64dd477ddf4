"""Bijectors in graph mode: TensorFlow Probability's, our Cubic, and a flow that is trained."""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from vae_tf1 import Cubic, fit_distribution, plots

tfb, tfd = tfp.bijectors, tfp.distributions


def curves(x: np.ndarray, sess: tf.compat.v1.Session) -> dict:
    """Draw what each bijector makes of a line, or of a square full of points."""
    square = np.random.default_rng(0).random((1500, 2), np.float32)
    loc, scale, temperature = [0.5, 1.0, 1.5, 2.0], [1.0, 1.0, 2.0, 2.0], [0.5, 0.2, 0.1]
    full = tf.linalg.LinearOperatorFullMatrix([[0.5, 1.5], [1.5, 0.5]])
    matvecs = {
        "ScaleMatvecDiag": tfb.ScaleMatvecDiag([1.5, -0.5]),
        "ScaleMatvecTriL": tfb.ScaleMatvecTriL([[-1.0, 0.0], [-1.0, -1.0]]),
        "LinearOperatorFullMatrix": tfb.ScaleMatvecLinearOperator(full),
    }
    softfloor, gumbel = tfb.Softfloor(temperature).forward(x), tfb.GumbelCDF(loc, scale).forward(x)
    cubic = Cubic([1.0, -2.0], [-1.0, 0.4], validate_args=True)
    cubed = sess.run((cubic.forward(x), cubic.inverse(x), cubic.forward_log_det_jacobian(x, 0)))
    clouds = sess.run({name: bijector.forward(square) for name, bijector in matvecs.items()})
    return {
        "softfloor": plots.curves(x, sess.run(softfloor), temperature, title="Softfloor"),
        "gumbel": plots.curves(x, sess.run(gumbel), loc, title="GumbelCDF"),
        "clouds": plots.clouds(square, clouds),
        "cubic": plots.bijector_curves(x, *cubed, ["a=1, b=-1", "a=-2, b=0.4"], title="Cubic"),
    }


def training(x: np.ndarray, sess: tf.compat.v1.Session) -> dict:
    """Fit an inverse cubic flow to a mixture, and print its parameters."""
    normals = tfd.Normal([2.3, -0.8], 0.4)
    data = tfd.MixtureSameFamily(tfd.Categorical(probs=[0.45, 0.55]), normals)
    flow = tfb.Invert(Cubic(tf.Variable(0.25), tf.Variable(-0.1)))(tfd.Normal(0.0, 1.0))
    flow_density = flow.prob(x)
    sess.run(tf.compat.v1.global_variables_initializer())
    before, data_density = sess.run((flow_density, data.prob(x)))
    losses = fit_distribution(flow, *sess.run((data.sample(10_000), data.sample(1000))), seed=0)
    (a, b), after = sess.run((flow.trainable_variables, flow_density))
    print(f"trained cubic: a = {a:.3f}, b = {b:.3f}; in the tutorial: a = 0.577, b = -0.429")
    return {
        "densities": plots.densities(x, data_density, {"Before training": before, "After": after}),
        "likelihood": plots.likelihood_curves(*losses),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    x = np.linspace(-4, 4, 800, dtype=np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        tf.compat.v1.set_random_seed(0)
        for name, figure in (curves(x[:, None], sess) | training(x, sess)).items():
            figure.savefig(output / f"bijector_{name}.png")
