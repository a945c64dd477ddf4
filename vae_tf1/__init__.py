"""The 2017 TensorFlow-1 variational autoencoder on today's TensorFlow.

Importing this package has no side effects: it does not even import TensorFlow. Each public name
is loaded from its module on first use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what editors and type checkers see; `__getattr__` loads the same names
    from vae_tf1 import plots
    from vae_tf1.autoencoder import VariationalAutoencoder
    from vae_tf1.bijectors import Cubic, fit_distribution
    from vae_tf1.cluster.workers import Cluster
    from vae_tf1.divergence import (
        kl_divergence_gaussians,
        log_density_ratio_gaussians,
        monte_carlo_kl,
    )
    from vae_tf1.errors import (
        CheckpointError,
        ClusterError,
        ConversionError,
        DataError,
        DataWarning,
        PeerLost,
    )
    from vae_tf1.gaussian import BaseDistribution, Gaussian
    from vae_tf1.mixture import fit_mixture, gmm_energy, gmm_params
    from vae_tf1.model.layers import DenseLayer
    from vae_tf1.model.learning_rates import CosineDecay, ExponentialDecay, StepDecay
    from vae_tf1.outliers import OutlierDetector
    from vae_tf1.training.callbacks import Callback
    from vae_tf1.training.tensorboard import TensorBoard

__all__ = [
    "BaseDistribution",
    "Callback",
    "CheckpointError",
    "Cluster",
    "ClusterError",
    "ConversionError",
    "CosineDecay",
    "Cubic",
    "DataError",
    "DataWarning",
    "DenseLayer",
    "ExponentialDecay",
    "Gaussian",
    "OutlierDetector",
    "PeerLost",
    "StepDecay",
    "TensorBoard",
    "VariationalAutoencoder",
    "fit_distribution",
    "fit_mixture",
    "gmm_energy",
    "gmm_params",
    "kl_divergence_gaussians",
    "log_density_ratio_gaussians",
    "monte_carlo_kl",
    "plots",
]
__version__ = "1.0.0"

_HOME_OF = {
    "BaseDistribution": "gaussian",
    "Callback": "training.callbacks",
    "CheckpointError": "errors",
    "Cluster": "cluster.workers",
    "ClusterError": "errors",
    "ConversionError": "errors",
    "CosineDecay": "model.learning_rates",
    "Cubic": "bijectors",
    "DataError": "errors",
    "DataWarning": "errors",
    "DenseLayer": "model.layers",
    "ExponentialDecay": "model.learning_rates",
    "Gaussian": "gaussian",
    "OutlierDetector": "outliers",
    "PeerLost": "errors",
    "StepDecay": "model.learning_rates",
    "TensorBoard": "training.tensorboard",
    "VariationalAutoencoder": "autoencoder",
    "fit_distribution": "bijectors",
    "fit_mixture": "mixture",
    "gmm_energy": "mixture",
    "gmm_params": "mixture",
    "kl_divergence_gaussians": "divergence",
    "log_density_ratio_gaussians": "divergence",
    "monte_carlo_kl": "divergence",
}
_MODULES = ("plots",)


if not TYPE_CHECKING:  # or a misspelt name would look like one of ours

    def __getattr__(name):
        if name in _HOME_OF:
            return getattr(_load(_HOME_OF[name]), name)
        if name in _MODULES:
            return _load(name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def _load(module):
        """Import a module of ours, and TensorFlow with it if need be, without a word."""
        import sys
        from importlib import import_module

        if "tensorflow" in sys.modules:
            return import_module(f"{__name__}.{module}")
        from vae_tf1.backend.notices import without_startup_notices

        with without_startup_notices():
            return import_module(f"{__name__}.{module}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
