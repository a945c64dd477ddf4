"""The 2017 TensorFlow-1 variational autoencoder on today's TensorFlow.

Importing this package has no side effects: it does not even import TensorFlow. Each public name
is loaded from its module on first use.
"""

from importlib import import_module

_HOME_OF = {
    "DenseLayer": "model.layers",
    "VariationalAutoencoder": "autoencoder",
    "BaseDistribution": "gaussian",
    "Gaussian": "gaussian",
    "kl_divergence_gaussians": "divergence",
    "log_density_ratio_gaussians": "divergence",
    "monte_carlo_kl": "divergence",
    "gmm_params": "mixture",
    "gmm_energy": "mixture",
    "fit_mixture": "mixture",
    "Cubic": "bijectors",
    "fit_distribution": "bijectors",
    "OutlierDetector": "outliers",
    "CheckpointError": "errors",
    "DataError": "errors",
    "DataWarning": "errors",
}
_MODULES = ("plots",)

__all__ = [*_HOME_OF, *_MODULES]
__version__ = "1.0.0"


def __getattr__(name: str) -> object:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
