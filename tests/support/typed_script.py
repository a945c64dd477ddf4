"""A user's script, for type checkers: each line marked "wrong" is an error, and no other line is.

It is checked, never run.
"""

import numpy as np

import vae_tf1
from vae_tf1 import (
    CheckpointError,
    DataError,
    DenseLayer,
    Gaussian,
    VariationalAutoencoder,
    fit_mixture,
    kl_divergence_gaussians,
    plots,
)
from vae_tf1.data.mnist import get_mnist

X, Y = get_mnist(100, split="test", seed=0)
digits: np.ndarray = Y

vae = VariationalAutoencoder(784, [200, 100], seed=0, prior=Gaussian(0.0, 2.0), kl="monte_carlo")
costs: list[float] = vae.fit(X, epochs=2, batch_sz=64, progress=False, checkpoint_dir="runs/a")
codes: np.ndarray = vae.transform(X)
images, probabilities = vae.prior_predictive_sample_with_probs(3)
elbo, reconstruction, kl = vae.evaluate(X)
log_p: np.ndarray = vae.log_likelihood(X, n_samples=100)
nats: float = elbo - reconstruction + kl
path: str = vae.save("model")
with VariationalAutoencoder.load(path) as again:
    again.restore(path)
    seed: int = again.seed
plots.elbo_curve(costs).savefig("elbo.png")
plots.latent_scatter(codes, digits, title="Codes")
energy: np.ndarray = fit_mixture(codes, 3, seed=0).energy(codes)
divergence = kl_divergence_gaussians([1.0], [1.0], [0.0], [1.0])
layer = DenseLayer(3, 2)
problems: tuple[type[ValueError], ...] = (CheckpointError, DataError)

VariationalAutoencoder(784)  # wrong: no layers
VariationalAutoencoder("784", [200, 100])  # wrong: a size is an integer
VariationalAutoencoder(784, [200, 100], sed=0)  # wrong: no such option
vae.fit(X, epochs="30")  # wrong: a number of epochs is an integer
vae.fit(X, batch_size=64)  # wrong: it is called batch_sz
vae.fit()  # wrong: no images
vae.log_likelihood(X, n_samples="many")  # wrong: a number of samples is an integer
vae.fit(3)  # wrong: a number is not rows
vae.transfrom(X)  # wrong: a misspelt method
nats = vae.evaluate(X)  # wrong: three numbers
path = vae.transform(X)  # wrong: an array
plots.elbo_curve(costs, titel="ELBO")  # wrong: a misspelt option
get_mnist(limit="100")  # wrong: a limit is an integer
vae_tf1.VariationalAutoencodr(784, [200, 100])  # wrong: a misspelt name
