"""Every figure of the project: each function draws one and returns it.

Figures are matplotlib's own ``Figure``, made without pyplot, so that nothing global changes and
no window opens: ``plots.elbo_curve(costs).savefig("elbo.png")``. To show one in a window, hand in
an empty figure of pyplot's: ``plots.elbo_curve(costs, figure=plt.figure()); plt.show()``.
"""

from vae_tf1.plots.functions import (
    bijector_curves,
    clouds,
    curves,
    densities,
    energies,
    likelihood_curves,
)
from vae_tf1.plots.gaussians import (
    gaussian_densities,
    kl_samples,
    running_kl,
    running_kl_density,
    squared_error,
)
from vae_tf1.plots.images import (
    decoded_plane,
    latent_scatter,
    reconstructions,
    sample_sets,
    samples,
    side_by_side,
)
from vae_tf1.plots.training import (
    elbo_curve,
    show_elbo_curve,
    training_and_validation,
)

__all__ = [
    "bijector_curves",
    "clouds",
    "curves",
    "decoded_plane",
    "densities",
    "elbo_curve",
    "energies",
    "gaussian_densities",
    "kl_samples",
    "latent_scatter",
    "likelihood_curves",
    "reconstructions",
    "running_kl",
    "running_kl_density",
    "sample_sets",
    "samples",
    "show_elbo_curve",
    "side_by_side",
    "squared_error",
    "training_and_validation",
]
