"""What a trained variational autoencoder says about rows: codes, and how well they decode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from vae_tf1.backend.xla import graph_lock
from vae_tf1.data.rows import Rows, as_rows, as_values
from vae_tf1.likelihoods import support_of
from vae_tf1.mixture import Mixture, fit_mixture, responsibilities
from vae_tf1.outliers.joint import reconstruction_features
from vae_tf1.outliers.moments import gmm_params_of_blocks

if TYPE_CHECKING:
    from vae_tf1.model.graph import Model

__all__ = ["TrainedModel"]

_BLOCK = 4096  # rows
_MOST_ROWS = 10_000  # that EM runs on


class TrainedModel:
    """The ops that scoring adds to a model's graph.

    Parameters
    ----------
    vae
        A trained model; it is never changed.
    """

    def __init__(self, vae: Model) -> None:
        self._vae = vae
        with graph_lock(vae.graph), vae.graph.as_default(), tf.name_scope("outliers"):
            features = reconstruction_features(vae.X, vae.posterior_predictive_probs)
            self._z = tf.cast(tf.concat([vae.Z, features], axis=1), tf.float64)

    def rows(self, X: Any) -> Rows:
        """Check rows at the door of the model.

        Raises
        ------
        TypeError, ValueError
            If X is not what the model takes, or the model is closed.
        """
        self._vae.check_open()
        return as_rows(X, self._vae.D, support=support_of(self._vae.likelihood))

    def features(self, rows: Rows) -> Iterator[np.ndarray]:
        """Yield z = [code, distance, similarity], (n, M + 2), some thousands of rows at a time.

        The code is the mean of q(z|x): the noise is fed as zeros.
        """
        vae = self._vae
        for start in range(0, len(rows), _BLOCK):
            taken = rows.take(slice(start, min(start + _BLOCK, len(rows))))
            feed = {
                vae.X: as_values(taken.astype(np.float32, copy=False), rows.levels),
                vae.epsilon: np.zeros((len(taken), vae.M), np.float32),
            }
            yield vae.sess.run(self._z, feed)

    def fit_mixture(self, rows: Rows, n_gmm: int, seed: int) -> Mixture:
        """Fit a mixture to the features of any number of rows, in bounded memory.

        EM runs on at most 10,000 of them, evenly spread over the rows. One more step of EM, over
        all rows, gives the parameters.
        """
        stride = -(-len(rows) // _MOST_ROWS)
        some = [z[-i * _BLOCK % stride :: stride] for i, z in enumerate(self.features(rows))]
        found = fit_mixture(np.concatenate(some), n_gmm, seed=seed)
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            z_in = tf.compat.v1.placeholder(tf.float64, (None, found.mu.shape[1]))
            gamma = responsibilities(z_in, *found)
            return gmm_params_of_blocks(
                lambda: ((z, sess.run(gamma, {z_in: z})) for z in self.features(rows))
            )
