"""The pictures of a trained model. Each is drawn when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vae_tf1.app.data import Digits

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from vae_tf1.autoencoder import VariationalAutoencoder

__all__ = ["Picture", "pictures_of", "posterior_samples", "prior_samples"]

_IMAGES = 100  # in a grid of samples
_PAIRS = 50
_PLANE_SIDE = 20
_PLANE_EXTENT = (-3.0, 3.0, -3.0, 3.0)


class Picture(NamedTuple):
    """A picture, not yet drawn.

    Attributes
    ----------
    name
        Of its file and window.
    draw
        Draws it, into ``figure`` if that is given.
    in_window
        Whether it is worth a window.
    """

    name: str
    draw: Callable[..., Figure]
    in_window: bool = True


def pictures_of(vae: VariationalAutoencoder, digits: Digits) -> Iterator[Picture]:
    """Yield the pictures that sum up a training: its course, and what the model has learned."""
    from vae_tf1 import plots

    title = f"Training on {digits.name}: {len(vae.costs):,} steps"
    yield Picture("training_curve", partial(plots.elbo_curve, vae.costs, title=title))

    originals = digits.test[:_PAIRS]
    title = "Test images and their reconstructions (probabilities)"
    reconstructions = partial(
        plots.reconstructions, originals, vae.reconstruct(originals), title=title
    )
    samples, probabilities = vae.prior_predictive_sample_with_probs(_IMAGES)
    prior = partial(plots.samples, samples, title="Samples of the prior predictive")
    title = "Samples of the prior (probabilities)"
    prior_probabilities = partial(plots.samples, probabilities, title=title)
    yield Picture("overview", partial(_side_by_side, reconstructions, prior_probabilities))
    yield Picture("reconstructions", reconstructions, in_window=False)
    yield Picture("prior_samples", prior, in_window=False)
    yield Picture("prior_probabilities", prior_probabilities, in_window=False)

    if vae.hidden_layer_sizes[-1] == 2:
        codes, title = vae.transform(digits.test), "Codes of the test images, coloured by digit"
        yield Picture(
            "latent_codes",
            partial(plots.latent_scatter, codes, digits.test_labels, title=title),
        )
        plane = _decode_plane(vae)
        yield Picture("latent_plane", partial(plots.decoded_plane, plane, _PLANE_EXTENT))


def posterior_samples(vae: VariationalAutoencoder, digits: Digits) -> Iterator[Picture]:
    """Yield, without end, an original beside a sample of its posterior predictive."""
    import numpy as np

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


def _side_by_side(
    left: Callable[..., Figure], right: Callable[..., Figure], *, figure: Figure | None = None
) -> Figure:
    """Draw two figures into one."""
    from matplotlib.figure import Figure

    figure = figure or Figure(figsize=(10.2, 4.3))
    figure.set_layout_engine("constrained")
    parts: np.ndarray = figure.subfigures(1, 2, squeeze=False, width_ratios=(1.36, 1))
    for draw, part in zip((left, right), parts[0], strict=True):
        draw(figure=part)
    return figure


def _decode_plane(vae: VariationalAutoencoder) -> np.ndarray:
    """Decode the points of a grid over the latent plane: (rows, columns, D), least z₂ first."""
    import numpy as np

    x0, x1, y0, y1 = _PLANE_EXTENT
    z1, z2 = np.meshgrid(np.linspace(x0, x1, _PLANE_SIDE), np.linspace(y0, y1, _PLANE_SIDE))
    images = vae.prior_predictive_with_input(np.column_stack([z1.ravel(), z2.ravel()]))
    return images.reshape(_PLANE_SIDE, _PLANE_SIDE, vae.D)
