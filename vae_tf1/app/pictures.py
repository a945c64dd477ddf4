"""The pictures of a trained model. Each is drawn when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vae_tf1.app.data import Digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vae_tf1.autoencoder import VariationalAutoencoder

__all__ = ["Picture", "pictures_of", "posterior_samples", "prior_samples"]

_IMAGES = 100  # in a grid of samples
_PAIRS = 30
_PLANE_SIDE = 20
_PLANE_EXTENT = (-3.0, 3.0, -3.0, 3.0)


class Picture(NamedTuple):
    """A picture: the name of its file or window, and what draws it, into ``figure`` if given."""

    name: str
    draw: Callable[..., Figure]


def pictures_of(vae: VariationalAutoencoder, digits: Digits) -> Iterator[Picture]:
    """Yield the pictures that sum up a training: its course, and what the model has learned."""
    from vae_tf1 import plots

    def picture(name: str, draw: Callable[..., Figure], *images: Any, **texts: Any) -> Picture:
        return Picture(name, partial(draw, *images, **texts))

    yield picture(
        "training_curve",
        plots.elbo_curve,
        vae.costs,
        title=f"Training on {digits.name}: {len(vae.costs):,} steps",
    )
    originals = digits.test[:_PAIRS]
    yield picture(
        "reconstructions",
        plots.reconstructions,
        originals,
        vae.reconstruct(originals),
        title="Test images and their reconstructions (probabilities)",
    )
    samples, probabilities = vae.prior_predictive_sample_with_probs(_IMAGES)
    yield picture("prior_samples", plots.samples, samples, title="Prior predictive samples")
    yield picture(
        "prior_probabilities",
        plots.samples,
        probabilities,
        title="The same samples' probabilities",
    )
    if vae.hidden_layer_sizes[-1] == 2:
        yield picture(
            "latent_codes",
            plots.latent_scatter,
            vae.transform(digits.test),
            digits.test_labels,
            title="Codes of the test images, coloured by digit",
        )
        yield picture("latent_plane", plots.decoded_plane, _decode_plane(vae), _PLANE_EXTENT)


def posterior_samples(vae: VariationalAutoencoder, digits: Digits) -> Iterator[Picture]:
    """Yield, without end, an original beside a sample of its posterior predictive."""
    from vae_tf1 import plots

    choices = np.random.default_rng(vae.seed)
    while True:
        x = digits.train[choices.integers(len(digits.train))]
        sample = vae.posterior_predictive_sample([x])
        yield Picture(
            "posterior_sample", partial(plots.side_by_side, x, sample, "Original", "Sampled")
        )


def prior_samples(vae: VariationalAutoencoder) -> Iterator[Picture]:
    """Yield, without end, a sample of the prior predictive beside its probabilities."""
    from vae_tf1 import plots

    while True:
        sample, probabilities = vae.prior_predictive_sample_with_probs()
        yield Picture(
            "prior_sample",
            partial(
                plots.side_by_side,
                sample,
                probabilities,
                "Prior predictive sample",
                "Prior predictive probabilities",
            ),
        )


def _decode_plane(vae: VariationalAutoencoder) -> np.ndarray:
    """Decode the points of a grid over the latent plane: (rows, columns, D), least z₂ first."""
    x0, x1, y0, y1 = _PLANE_EXTENT
    z1, z2 = np.meshgrid(np.linspace(x0, x1, _PLANE_SIDE), np.linspace(y0, y1, _PLANE_SIDE))
    images = vae.prior_predictive_with_input(np.column_stack([z1.ravel(), z2.ravel()]))
    return images.reshape(_PLANE_SIDE, _PLANE_SIDE, vae.D)
