"""What each prior, flow and likelihood is asked in the model."""

import numpy as np

from vae_tf1 import VariationalAutoencoder

QUIET = {"progress": False, "plot": False}


def costs_compiled_and_not(build, X):
    """Return the ELBO of each step of a short training, without XLA and with it."""
    costs = []
    for compiled in (False, True):
        with build() as vae:
            costs.append(vae.fit(X, epochs=4, batch_sz=len(X) // 3, compile=compiled, **QUIET))
    return costs


def survives(build, X, folder, **passed_again):
    """Check that a model resumes to the same bits, and that `load` gives it back."""
    batch = len(X) // 3
    with build() as whole:
        whole.fit(X, epochs=4, batch_sz=batch, **QUIET)
        expected, weights = whole.evaluate(X), whole.sess.run(whole.variables)
        described = whole.describe_prior(), whole.describe_parts()
    with build() as half:
        half.fit(X, epochs=2, batch_sz=batch, checkpoint_dir=folder, **QUIET)
    with build() as resumed:
        resumed.fit(X, epochs=4, batch_sz=batch, checkpoint_dir=folder, **QUIET)
        assert resumed.evaluate(X) == expected
    with VariationalAutoencoder.load(folder, **passed_again) as loaded:
        assert loaded.evaluate(X) == expected
        assert (loaded.describe_prior(), loaded.describe_parts()) == described
        for ours, theirs in zip(loaded.sess.run(loaded.variables), weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
