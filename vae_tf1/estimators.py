"""The autoencoder with scikit-learn's habits, for its pipelines and searches.

scikit-learn is not needed: an estimator is a class with a few conventions, which these are.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vae_tf1.autoencoder import VariationalAutoencoder
from vae_tf1.checks import check_count
from vae_tf1.data.rows import ArrayLike, as_rows

__all__ = ["VAETransformer"]


class VAETransformer:
    """Codes of images: a transformer and a density, trained by `VariationalAutoencoder.fit`.

    The parameters are kept as they are given, and checked by `fit`.

    Parameters
    ----------
    n_components
        Size of the code.
    hidden_layer_sizes
        Widths of the encoder's hidden layers; the decoder has the reverse.
    epochs, batch_size
        How often each image is seen, and how many a step has; at most as many as there are.
    optimizer, learning_rate, clip_norm
        See `VariationalAutoencoder`.
    validation_fraction
        The part of X, at its end, on which the ELBO is watched; None watches none.
    patience
        After how many epochs without a better ELBO there to stop; None goes on.
    binarization
        See `VariationalAutoencoder.fit`.
    n_samples
        How many codes of each image `score_samples` draws.
    random_state
        A seed, a NumPy generator to draw one from, or None for a fresh one.
    verbose
        Whether to report each epoch.

    Attributes
    ----------
    model_ : VariationalAutoencoder
    n_features_in_ : int
        Number of values of an image.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        hidden_layer_sizes: Sequence[int] = (200,),
        epochs: int = 30,
        batch_size: int = 64,
        optimizer: Any = "rmsprop",
        learning_rate: Any = None,
        clip_norm: float | None = None,
        validation_fraction: float | None = None,
        patience: int | None = None,
        binarization: str | None = None,
        n_samples: int = 100,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.clip_norm = clip_norm
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.binarization = binarization
        self.n_samples = n_samples
        self.random_state = random_state
        self.verbose = verbose

    # Parameters ----------------------------------------------------------------------------------

    @classmethod
    def _parameters(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by their names."""
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **parameters: Any) -> VAETransformer:
        """Set parameters, for the next `fit`.

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        for name in parameters:
            if name not in self._parameters():
                known = ", ".join(self._parameters())
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}; it has {known}")
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if repr(value) != repr(defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks every estimator; only scikit-learn calls this."""
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float32"]),
        )

    # What it does --------------------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: Any = None) -> VAETransformer:
        """Train a new model on images in rows, (N, D), values in [0, 1]; `y` is not looked at.

        Raises
        ------
        TypeError, ValueError
            If X or a parameter is none that `VariationalAutoencoder` takes.
        """
        width = _width(X)
        rows = as_rows(X, width)
        batch_size = check_count(self.batch_size, "batch_size")
        trained = len(rows) - round(len(rows) * (self.validation_fraction or 0))
        model = VariationalAutoencoder(
            width,
            [*self.hidden_layer_sizes, self.n_components],
            seed=_seed(self.random_state),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            clip_norm=self.clip_norm,
        )
        try:
            model.fit(
                X,
                self.epochs,
                min(batch_size, max(trained, 1)),
                progress=self.verbose,
                plot=False,
                validation_data=self.validation_fraction,
                patience=self.patience,
                binarization=self.binarization,
            )
        except BaseException:
            model.close()
            raise
        self.model_, self.n_features_in_ = model, width
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the means of q(z|x): (N, D) images to (N, n_components) codes."""
        return self._fitted().transform(X)

    def fit_transform(self, X: ArrayLike, y: Any = None) -> np.ndarray:
        """Train on images, and return their codes."""
        return self.fit(X).transform(X)

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        """Return the images that codes decode to: (N, n_components) to (N, D)."""
        return self._fitted().prior_predictive_with_input(Z)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the code's units."""
        self._fitted()
        return np.array([f"vae{i}" for i in range(self.n_components)], dtype=object)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Estimate log p(x) of each image, in nats, shape (N,); see `log_likelihood` of the model.

        It is a lower bound in expectation, which rises with `n_samples`, and can be repeated.
        """
        return self._fitted().log_likelihood(X, self.n_samples, progress=False)

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Return the mean of `score_samples`, in nats per image: the larger, the better."""
        return float(np.mean(self.score_samples(X)))

    def _fitted(self) -> VariationalAutoencoder:
        if not hasattr(self, "model_"):
            raise _not_fitted(f"this {type(self).__name__} is not fitted yet: call fit first")
        return self.model_

    # A fitted one can be pickled -----------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        model = state.pop("model_", None)
        if model is not None:
            with tempfile.TemporaryDirectory(prefix="vae_tf1-") as folder:
                model.save(Path(folder, "model"))
                state["_files"] = {p.name: p.read_bytes() for p in Path(folder).iterdir()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop("_files", None)
        vars(self).update(state)
        if files is not None:
            own = {"optimizer": self.optimizer, "learning_rate": self.learning_rate}
            with tempfile.TemporaryDirectory(prefix="vae_tf1-") as folder:
                for name, content in files.items():
                    Path(folder, name).write_bytes(content)
                self.model_ = VariationalAutoencoder.load(Path(folder, "model"), **own)


def _width(X: Any) -> int:
    """Return the number of values of an image, from data that `as_rows` has yet to check."""
    shape = getattr(X, "shape", None) or np.shape(X)
    if len(shape) == 1 and shape[0]:  # a sequence of rows with nothing but a length
        shape = (*shape, *np.shape(X[0]))
    if len(shape) != 2 or shape[1] == 0:
        raise ValueError(f"X must be images in rows, (N, D), not an array of shape {shape}")
    return int(shape[1])


def _seed(random_state: Any) -> int | None:
    if random_state is None:
        return None
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return check_count(random_state, "random_state", 0)


def _not_fitted(message: str) -> Exception:
    """Return scikit-learn's own exception, or the ValueError that it is if there is none."""
    try:
        from sklearn.exceptions import NotFittedError
    except ImportError:
        return ValueError(message)
    return NotFittedError(message)
