"""The two ways to score a row, jointly trained or with a trained model; higher is more normal.

Either way a row becomes z = [code, relative Euclidean distance, cosine similarity], and its score
is −E(z) = log Σ_k φ_k N(z; μ_k, Σ_k).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vae_tf1.mixture import Mixture
from vae_tf1.outliers.joint import JointModel, Settings
from vae_tf1.outliers.moments import gmm_params_of_blocks
from vae_tf1.outliers.table import Scaling, as_table, blocks_of
from vae_tf1.outliers.trained import TrainedModel

if TYPE_CHECKING:
    from vae_tf1.autoencoder import VariationalAutoencoder

__all__ = ["JointScorer", "Scorer", "TrainedScorer"]

Arrays = Mapping[str, np.ndarray]

_MODEL = "vae"  # the name of the checkpoint within a detector's file


class Scorer(Protocol):
    """What a fitted detector knows."""

    mixture: Mixture
    n_features: int

    def score(self, X: Any) -> np.ndarray:
        """Return a log density in nats for each row, shape (N,), float64."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that a file needs to hold."""


class JointScorer:
    """Score: the negative energy under the mixture that was trained with the autoencoder.

    Parameters
    ----------
    model
        The autoencoder and the estimation network, trained.
    scaling
        Of the columns.
    mixture
        Of the whole training set.
    """

    def __init__(self, model: JointModel, scaling: Scaling, mixture: Mixture) -> None:
        self._model, self._scaling, self.mixture = model, scaling, mixture
        self.n_features = model.n_features

    @classmethod
    def fit(cls, X: Any, settings: Settings, say: Callable[[int, float], None]) -> JointScorer:
        """Train on a table; `say` is told the number of each epoch and its mean loss."""
        table = as_table(X)
        scaling = Scaling.of(table)
        model = JointModel(table.shape[1], settings)
        model.train(lambda indices: scaling.apply(table[indices]), len(table), say)

        def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            return (model.features(scaling.apply(block)) for block in blocks_of(table))

        return cls(model, scaling, gmm_params_of_blocks(blocks))

    def score(self, X: Any) -> np.ndarray:
        """Return −E(z) for each row."""
        blocks = (self._scaling.apply(b) for b in blocks_of(as_table(X, self.n_features)))
        return -np.concatenate([self._model.energies(block, self.mixture) for block in blocks])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return weights, mixture and scaling."""
        weights = {f"weights_{i}": value for i, value in enumerate(self._model.weights)}
        return {**weights, **self._scaling._asdict(), **self.mixture._asdict()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, settings: Settings) -> JointScorer:
        """Return the scorer whose `arrays` these are."""
        scaling = _taken(Scaling, arrays)
        model = JointModel(len(scaling.least), settings)
        model.weights = [arrays[f"weights_{i}"] for i in range(len(model.variables))]
        return cls(model, scaling, _mixture(arrays, settings))


class TrainedScorer:
    """Score: the negative energy under a mixture fitted to what a trained model says.

    Parameters
    ----------
    vae
        The trained model.
    mixture
        Of the codes and reconstruction features of the training set.
    """

    def __init__(self, vae: VariationalAutoencoder, mixture: Mixture) -> None:
        self.vae, self.mixture, self.n_features = vae, mixture, vae.D
        self._model = TrainedModel(vae)

    @classmethod
    def fit(cls, X: Any, vae: VariationalAutoencoder, n_gmm: int, seed: int) -> TrainedScorer:
        """Fit a mixture of `n_gmm` Gaussians to the codes and features of rows."""
        model = TrainedModel(vae)
        return cls(vae, model.fit_mixture(model.rows(X), n_gmm, seed))

    def score(self, X: Any) -> np.ndarray:
        """Return −E(z) for each row."""
        blocks = self._model.features(self._model.rows(X))
        return -np.concatenate([self.mixture.energy(z) for z in blocks])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the mixture, and the files of the model's checkpoint as bytes."""
        with tempfile.TemporaryDirectory() as folder:
            self.vae.save(Path(folder, _MODEL))
            files = {
                file.name: np.frombuffer(file.read_bytes(), np.uint8)
                for file in Path(folder).iterdir()
                if file.name.startswith(_MODEL)
            }
        return {**files, **self.mixture._asdict()}

    @classmethod
    def from_arrays(
        cls, arrays: Arrays, settings: Settings, parts: Mapping[str, Any]
    ) -> TrainedScorer:
        """Return the scorer whose `arrays` these are; `parts` are for the model's `load`."""
        from vae_tf1.autoencoder import VariationalAutoencoder

        with tempfile.TemporaryDirectory() as folder:
            for name, array in arrays.items():
                if name.startswith(f"{_MODEL}.") and Path(name).name == name:
                    Path(folder, name).write_bytes(array.tobytes())
            vae = VariationalAutoencoder.load(Path(folder, _MODEL), **parts)
        try:
            return cls(vae, _mixture(arrays, settings._replace(hidden_layer_sizes=(vae.M,))))
        except BaseException:
            vae.close()
            raise


def _mixture(arrays: Arrays, settings: Settings) -> Mixture:
    mixture = _taken(Mixture, arrays)
    K, D = settings.n_gmm, settings.hidden_layer_sizes[-1] + 2
    if tuple(part.shape for part in mixture) != ((K,), (K, D), (K, D, D), (K, D, D), (K,)):
        raise ValueError("the shapes of its mixture do not fit")
    return mixture


def _taken(kind: Any, arrays: Arrays) -> Any:
    """Return the NamedTuple `kind` of the arrays with the names of its fields."""
    values = kind(*(arrays[name].astype(np.float64) for name in kind._fields))
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError("it holds NaN or infinity")
    return values
