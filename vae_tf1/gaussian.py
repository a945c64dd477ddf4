"""A Gaussian latent layer: reparameterised samples and the KL divergence to its prior.

    z = μ + exp(log σ² / 2) ε,  ε ~ N(0, 1)
    KL(N(μ, σ²) ‖ N(μ₀, σ₀²)) = log(σ₀/σ) + (σ² + (μ − μ₀)²) / (2 σ₀²) − 1/2

References
----------
Kingma and Welling (2014), Auto-Encoding Variational Bayes, arXiv:1312.6114.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from vae_tf1.divergence import gaussian_kl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BaseDistribution", "Gaussian"]

ArrayLike = Any  # a number, nested list, NumPy array, or TensorFlow tensor or variable


class BaseDistribution(tf.keras.layers.Layer, ABC):
    """A latent layer that samples from a distribution and measures its divergence from a prior."""

    @abstractmethod
    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Draw a sample from the distribution with these parameters."""

    @abstractmethod
    def KL_divergence(self, mean: ArrayLike, log_var: ArrayLike) -> tf.Tensor:
        """Return the KL divergence from the distribution with these parameters to the prior."""

    @abstractmethod
    def prob_density_fcn(
        self, x: ArrayLike, mean: ArrayLike, variance: ArrayLike
    ) -> np.ndarray | tf.Tensor:
        """Return the probability density at x."""

    @abstractmethod
    def variance(self, log_var: ArrayLike) -> np.ndarray | tf.Tensor:
        """Return the variance of the distribution with this parameter."""

    @abstractmethod
    def plot(self, mean: ArrayLike, log_var: ArrayLike, ax: Axes | None = None) -> Figure:
        """Draw the density of the distribution with these parameters."""


@tf.keras.utils.register_keras_serializable(package="vae_tf1")
class Gaussian(BaseDistribution):
    """Gaussian latent layer with a Gaussian prior.

    Samples follow the type of the inputs, float32 or float64, whatever Keras's policy. The layer
    works eagerly, in a graph and session, and inside a Keras model.

    Parameters
    ----------
    prior_mean
        Mean μ₀ of the prior, the same in every coordinate.
    prior_variance
        Variance σ₀² > 0 of the prior.
    **kwargs
        For ``tf.keras.layers.Layer``.

    Attributes
    ----------
    prior_mean, prior_variance, prior_deviation
        Python floats.

    Raises
    ------
    TypeError
        If a parameter of the prior is not a real number.
    ValueError
        If it is not finite, or the variance is not positive.
    """

    def __init__(self, prior_mean: float = 0.0, prior_variance: float = 1.0, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.prior_mean = _finite("prior_mean", prior_mean)
        self.prior_variance = _finite("prior_variance", prior_variance)
        if self.prior_variance <= 0:
            raise ValueError(f"prior_variance must be positive, not {prior_variance}")
        self.prior_deviation = math.sqrt(self.prior_variance)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Draw a sample by the reparameterisation trick.

        Parameters
        ----------
        inputs
            The pair (z_mean, z_log_var), each of shape (batch, D).

        Returns
        -------
        Tensor
            z_mean + exp(z_log_var / 2) · ε with ε ~ N(0, 1), shape (batch, D).
        """
        try:
            z_mean, z_log_var = inputs
        except (TypeError, ValueError):
            raise ValueError("the input must be the pair (z_mean, z_log_var)") from None
        z_mean, z_log_var = _tensors(z_mean=z_mean, z_log_var=z_log_var)
        epsilon = tf.random.normal(tf.shape(z_mean), dtype=z_mean.dtype)
        return z_mean + self.log_var_to_deviation(z_log_var) * epsilon

    def KL_divergence(self, mean: ArrayLike, log_var: ArrayLike) -> tf.Tensor:
        """Return KL(N(mean, exp(log_var)) ‖ prior), elementwise.

        Parameters
        ----------
        mean, log_var
            Mean and log variance, of shapes that broadcast.

        Returns
        -------
        Tensor
            In nats, of their common shape.
        """
        mean, log_var = _tensors(mean=mean, log_var=log_var)
        return gaussian_kl(
            (mean - self.prior_mean) / self.prior_deviation,
            log_var - math.log(self.prior_variance),
        )

    def log_var_to_deviation(self, log_var: ArrayLike) -> tf.Tensor:
        """Return the standard deviation exp(log_var / 2)."""
        (log_var,) = _tensors(log_var=log_var)
        return tf.exp(0.5 * log_var)

    def variance_to_log_scale(self, variance: ArrayLike) -> tf.Tensor:
        """Return the log variance of a variance."""
        (variance,) = _tensors(variance=variance)
        return tf.math.log(variance)

    def prob_density_fcn(
        self, x: ArrayLike, mean: ArrayLike, variance: ArrayLike
    ) -> np.ndarray | tf.Tensor:
        """Return the density of N(mean, variance) at x, elementwise.

        Parameters
        ----------
        x, mean, variance
            Points, mean and variance, of shapes that broadcast.

        Returns
        -------
        ndarray or Tensor
            A tensor if an argument is one, NumPy otherwise.

        Raises
        ------
        ValueError
            If a variance given as numbers is not positive.
        """
        if any(map(tf.is_tensor, (x, mean, variance))):
            x, mean, variance = _tensors(x=x, mean=mean, variance=variance)
            xp = tf.math
        else:
            x, mean, variance = map(np.asarray, (x, mean, variance))
            if not np.all(variance > 0):
                raise ValueError(f"variance must be positive, not {variance}")
            xp = np
        deviation = xp.sqrt(variance)
        standardised = (x - mean) / deviation
        return xp.exp(-0.5 * xp.square(standardised)) / (math.sqrt(2 * math.pi) * deviation)

    def variance(self, log_var: ArrayLike) -> np.ndarray | tf.Tensor:
        """Return the variance exp(log_var): a tensor for a tensor, NumPy otherwise."""
        return tf.exp(log_var) if tf.is_tensor(log_var) else np.exp(log_var)

    def plot(self, mean: ArrayLike, log_var: ArrayLike, ax: Axes | None = None) -> Figure:
        """Draw the density N(mean, exp(log_var)), a curve an element, beside the prior's.

        Parameters
        ----------
        mean, log_var
            Numbers or arrays of a few elements.
        ax
            Where to draw; a new figure by default.

        Returns
        -------
        Figure
            The figure drawn into.
        """
        from vae_tf1 import plots

        return plots.gaussian_densities(
            mean,
            np.exp(0.5 * np.asarray(log_var)),
            prior=(self.prior_mean, self.prior_deviation),
            ax=ax,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of z_mean."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the layer again."""
        return {
            **super().get_config(),
            "prior_mean": self.prior_mean,
            "prior_variance": self.prior_variance,
        }


def _finite(name: str, value: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, np.number)):
        raise TypeError(f"{name} must be a real number, not {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, not {value}")
    return float(value)


def _tensors(**values: ArrayLike) -> list[tf.Tensor]:
    """Convert to tensors of one floating-point type: a tensor's, else an array's, else float32."""
    typed = sorted(
        (v for v in values.values() if hasattr(v, "dtype")), key=tf.is_tensor, reverse=True
    )
    dtypes = (tf.as_dtype(value.dtype).base_dtype for value in typed)
    dtype = next((dtype for dtype in dtypes if dtype.is_floating), tf.float32)
    tensors = []
    for name, value in values.items():
        try:
            tensors.append(tf.convert_to_tensor(value, dtype))
        except (TypeError, ValueError):
            raise TypeError(
                f"{name} must be {dtype.name} numbers or tensor, not {value!r}"
            ) from None
    return tensors
