"""`OutlierDetector`: fit, score, threshold and file, in scikit-learn's idiom and without it."""

from __future__ import annotations

import inspect
import math
import os
import sys
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from vae_tf1.checks import check_count, check_positive
from vae_tf1.errors import CheckpointError, reason, show_path
from vae_tf1.outliers import store
from vae_tf1.outliers.joint import Settings
from vae_tf1.outliers.scorers import JointScorer, Scorer, TrainedScorer

if TYPE_CHECKING:
    from vae_tf1.autoencoder import VariationalAutoencoder

__all__ = ["OutlierDetector"]


class OutlierDetector:
    """Scores rows by how unlike the training rows they are.

    The score is the log density, under a mixture of Gaussians, of a row's code and of two features
    of its reconstruction: the relative Euclidean distance and the cosine similarity [1]_.

    ``OutlierDetector(vae)`` takes codes and reconstructions from a trained model, and `fit` fits
    the mixture to them. ``OutlierDetector(n_gmm=2)`` learns an autoencoder and a mixture together
    from a table of real numbers.

    It is an outlier detector of scikit-learn's kind, and works in its pipelines and searches;
    scikit-learn need not be installed. No argument is looked at before `fit`.

    Parameters
    ----------
    vae
        A trained model. `fit` does not train it. The parameters from `hidden_layer_sizes` to
        `learning_rate` are those of joint training, and without effect if there is a `vae`.
    n_gmm
        Number of Gaussians in the mixture.
    hidden_layer_sizes
        Width of each layer of the encoder; the last is the size of the code. The decoder has the
        reverse.
    estimation_layer_sizes
        Width of each hidden layer of the network that gives the probabilities of the components.
    dropout
        The share of that network's hidden values that training sets to zero, in [0, 1).
    energy_weight, covariance_weight
        λ1 of the mean energy and λ2 of Σ_kd 1 / Σ_k[d, d] in the loss.
    epochs, batch_sz, learning_rate
        How often each row is seen, how many rows a step has, and the step size of Adam.
    contamination
        The share of the training rows that `fit` puts below the threshold, in (0, 0.5].
    seed
        A non-negative integer: the same seed and rows give the same bits.
    progress
        Whether `fit` reports.

    Attributes
    ----------
    offset_ : float
        The threshold: a row whose score is below it is an outlier.
    n_features_in_ : int
    mixture_ : vae_tf1.mixture.Mixture
        The mixture of the whole training set.

    References
    ----------
    .. [1] Zong et al. (2018), Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly
       Detection, ICLR.
    """

    _estimator_type = "outlier_detector"  # what scikit-learn before 1.6 looks for

    def __init__(
        self,
        vae: VariationalAutoencoder | None = None,
        *,
        n_gmm: int = 2,
        hidden_layer_sizes: tuple[int, ...] = (60, 30, 10, 4),
        estimation_layer_sizes: tuple[int, ...] = (10,),
        dropout: float = 0.5,
        energy_weight: float = 0.1,
        covariance_weight: float = 0.005,
        epochs: int = 200,
        batch_sz: int = 64,
        learning_rate: float = 1e-3,
        contamination: float = 0.1,
        seed: int = 0,
        progress: bool = False,
    ) -> None:
        self.vae = vae
        self.n_gmm = n_gmm
        self.hidden_layer_sizes = hidden_layer_sizes
        self.estimation_layer_sizes = estimation_layer_sizes
        self.dropout = dropout
        self.energy_weight = energy_weight
        self.covariance_weight = covariance_weight
        self.epochs = epochs
        self.batch_sz = batch_sz
        self.learning_rate = learning_rate
        self.contamination = contamination
        self.seed = seed
        self.progress = progress

    # Fit and score -------------------------------------------------------------------------------

    def fit(self, X: Any, y: object = None) -> OutlierDetector:
        """Learn what normal rows are like.

        Parameters
        ----------
        X
            Rows, shape (N, D): an array, a list, a data frame or a ``numpy.memmap``. With a `vae`,
            whatever that model takes; else any real numbers, each column scaled to the range of
            its training rows. A few outliers among them do no harm.
        y
            Ignored.

        Returns
        -------
        OutlierDetector
            Itself.

        Raises
        ------
        TypeError, ValueError
            If X or a parameter is not as above; the detector is as it was.
        FloatingPointError
            If the loss of joint training is not finite.
        """
        settings = self._settings()
        scorer: Scorer
        if self.vae is None:
            scorer = JointScorer.fit(X, settings, self._say if self.progress else _quiet)
        else:
            scorer = TrainedScorer.fit(X, self.vae, settings.n_gmm, settings.seed)
        offset = np.percentile(scorer.score(X), 100 * self.contamination)
        self._take(scorer, float(offset))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the score of each row: a log density in nats, higher for more normal rows.

        Parameters
        ----------
        X
            Rows as those of `fit`, shape (N, D).

        Returns
        -------
        ndarray
            Shape (N,), float64.
        """
        return self._fitted().score(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return ``score_samples(X) - offset_``: negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Return 1 for each row that is normal and -1 for each outlier."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def fit_predict(self, X: Any, y: object = None) -> np.ndarray:
        """Return ``fit(X).predict(X)``."""
        return self.fit(X).predict(X)

    def infer_threshold(self, X: Any, percentile: float = 95.0) -> float:
        """Set the threshold so that `percentile` per cent of the rows X count as normal.

        Parameters
        ----------
        X
            Rows, such as those of a validation set.
        percentile
            Above 0 and below 100.

        Returns
        -------
        float
            The new `offset_`.
        """
        if not 0 < _real(percentile) < 100:
            raise ValueError(f"percentile must be above 0 and below 100, not {percentile!r}")
        self.offset_ = float(np.percentile(self.score_samples(X), 100 - percentile))
        return self.offset_

    def _say(self, epoch: int, loss: float) -> None:
        if epoch % max(1, self.epochs // 10) == 0:
            print(f"epoch {epoch}/{self.epochs}: loss {loss:.4g}", flush=True)

    def _take(self, scorer: Scorer, offset: float) -> None:
        self._scorer = scorer
        self.mixture_, self.n_features_in_ = scorer.mixture, scorer.n_features
        self.offset_ = offset

    def _fitted(self) -> Scorer:
        if not hasattr(self, "offset_"):
            # Whoever catches scikit-learn's exception has loaded it.
            exceptions = sys.modules.get("sklearn.exceptions")
            kind = exceptions.NotFittedError if exceptions else ValueError
            raise kind("this OutlierDetector is not fitted yet: call fit(X) first")
        return self._scorer

    def _settings(self) -> Settings:
        """Check every parameter."""
        if self.vae is not None and not hasattr(self.vae, "prior_distribution"):
            raise TypeError(f"vae must be a trained VariationalAutoencoder, not {self.vae!r}")
        if not 0 < _real(self.contamination) <= 0.5:
            raise ValueError(
                f"contamination must be above 0 and at most 0.5, not {self.contamination!r}"
            )
        if not 0 <= _real(self.dropout) < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {self.dropout!r}")
        for name in ("energy_weight", "covariance_weight"):
            if not 0 <= _real(getattr(self, name)) < math.inf:
                raise ValueError(f"{name} must not be negative, not {getattr(self, name)!r}")
        return Settings(
            hidden_layer_sizes=self._sizes("hidden_layer_sizes", least=1),
            estimation_layer_sizes=self._sizes("estimation_layer_sizes", least=0),
            n_gmm=check_count(self.n_gmm, "n_gmm"),
            dropout=float(self.dropout),
            energy_weight=float(self.energy_weight),
            covariance_weight=float(self.covariance_weight),
            epochs=check_count(self.epochs, "epochs"),
            batch_sz=check_count(self.batch_sz, "batch_sz"),
            learning_rate=check_positive(self.learning_rate, "learning_rate"),
            seed=check_count(self.seed, "seed", least=0),
        )

    def _sizes(self, name: str, least: int) -> tuple[int, ...]:
        sizes = getattr(self, name)
        if not isinstance(sizes, tuple | list) or len(sizes) < least:
            raise TypeError(f"{name} must be a tuple of integers such as (60, 30), not {sizes!r}")
        return tuple(check_count(size, f"a size in {name}") for size in sizes)

    # Files ---------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike) -> str:
        """Write the fitted detector, its `vae` included, to one file in NumPy's npz format.

        Nothing in it is pickled. The file appears whole or not at all.

        Returns
        -------
        str
            The path.

        Raises
        ------
        CheckpointError
            If it cannot be written; a file that was there is as it was.
        """
        arrays = self._fitted().arrays()
        parameters = {name: value for name, value in self.get_params().items() if name != "vae"}
        facts = {
            "parameters": parameters,
            "trained": self.vae is not None,
            "offset": self.offset_,
        }
        store.write(path, facts, arrays)
        return os.fspath(path)

    @classmethod
    def load(cls, path: str | os.PathLike, **parts: Any) -> OutlierDetector:
        """Read what `save` has written, `vae` included.

        Parameters
        ----------
        path
            What was given to `save`.
        **parts
            The parts of the user's own that `vae` was built with, as for its `load`.

        Raises
        ------
        CheckpointError
            If the file is missing, damaged, or something else.
        """
        facts, arrays = store.read(path)
        try:
            parameters: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in facts["parameters"].items()
            }
            detector = cls(**parameters)
            settings, offset = detector._settings(), float(facts["offset"])
            scorer: Scorer
            if facts["trained"]:
                scorer = of_model = TrainedScorer.from_arrays(arrays, settings, parts)
                detector.vae = of_model.vae
            else:
                scorer = JointScorer.from_arrays(arrays, settings)
            if not math.isfinite(offset):
                raise ValueError(f"its threshold is {offset}")
            detector._take(scorer, offset)
        except CheckpointError as error:  # of the model in it: it may need its `parts`
            raise CheckpointError(f"{show_path(path)} cannot be loaded: {reason(error)}") from None
        except Exception as error:  # a file of the right form that says anything at all
            raise CheckpointError(
                f"{show_path(path)} is damaged, or not a detector: {reason(error)}"
            ) from None
        return detector

    # What scikit-learn expects of an estimator ---------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the constructor."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **parameters: Any) -> OutlierDetector:
        """Set some parameters of the constructor."""
        known = self.get_params()
        for name, value in parameters.items():
            if name not in known:
                raise ValueError(f"there is no parameter {name!r}; there are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __sklearn_clone__(self) -> OutlierDetector:
        return type(self)(**self.get_params())  # of the same vae: it is only read

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="outlier_detector",
            target_tags=TargetTags(required=False),
            input_tags=InputTags(),
        )

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not defaults[name].default and value != defaults[name].default
        )
        return f"{type(self).__name__}({', '.join(changed)})"


def _quiet(epoch: int, loss: float) -> None:
    """Say nothing."""


def _real(value: object) -> float:
    """Return a real number as a float, and NaN for anything else."""
    real = isinstance(value, Real | np.number) and not isinstance(value, bool | np.bool_)
    return float(value) if real else math.nan  # type: ignore[arg-type]
