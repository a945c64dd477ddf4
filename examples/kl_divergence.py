"""The KL divergence of two Gaussians: in closed form, as TensorFlow has it, and by Monte Carlo.

Writes kl_samples.png, kl_running.png, kl_squared_error.png and kl_density.png.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

from vae_tf1 import kl_divergence_gaussians, monte_carlo_kl, plots
from vae_tf1.backend.notices import without_deprecation_notices

SEED_CLOSED_FORM, SEED_TENSORFLOW = 2.5925815, 2.5925813


def main(args: argparse.Namespace) -> None:
    """Estimate the divergence three ways, print the numbers and save the figures."""
    args.output.mkdir(parents=True, exist_ok=True)
    q_mu, q_sigma = np.float32([1, 4]), np.ones(2, np.float32)
    p_mu, p_sigma = np.float32([-3, 2]), np.full(2, 2.5, np.float32)
    closed_form = kl_divergence_gaussians(q_mu, q_sigma, p_mu, p_sigma)

    graph = tf.Graph()
    with without_deprecation_notices(), graph.as_default(), tf.compat.v1.Session() as sess:
        tf.compat.v1.set_random_seed(args.seed)
        q = tf.compat.v1.distributions.Normal(q_mu, q_sigma)
        p = tf.compat.v1.distributions.Normal(p_mu, p_sigma)
        registered = sess.run(tf.reduce_sum(tf.compat.v1.distributions.kl_divergence(q, p), -1))
        p_samples, q_samples = sess.run((p.sample(500), q.sample(500)))
        estimate = monte_carlo_kl(q, p, args.samples, seed=args.seed, sess=sess)

    print("KL(q || p)                  here       in the original notebook")
    print(f"closed form                 {closed_form:.7f}  {SEED_CLOSED_FORM}")
    print(f"tf.distributions            {registered:.7f}  {SEED_TENSORFLOW}")
    print(f"Monte Carlo                 {estimate.estimate:.4f} ± {estimate.error:.4f}")

    plots.kl_samples(p_samples, q_samples).savefig(args.output / "kl_samples.png")
    plots.running_kl(estimate, closed_form).savefig(args.output / "kl_running.png")
    plots.squared_error(estimate, closed_form).savefig(args.output / "kl_squared_error.png")
    plots.running_kl_density(estimate, closed_form).savefig(args.output / "kl_density.png")
    print(f"Figures in {args.output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for figures")
    parser.add_argument("--samples", type=int, default=10_000, help="Monte Carlo samples")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
