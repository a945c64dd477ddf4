"""The sides that are compared. Each is a class with the same three methods.

``Side(problem)`` builds the model at the problem's initial weights. ``replay(images, epsilon)``
makes one step for each minibatch with the noise given, and returns the ELBO per image of each, so
that a run can check that all sides train the same model in the same way. ``epoch()`` is what is
timed: a new order of the images, fresh noise for each step, and the mean ELBO per image.

A side is named by its module and class; its module is imported in a process of its own, so that no
two frameworks share one.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

CODES = 5000  # of an image, in `log_likelihood`


class Entry(NamedTuple):
    """How a side is shown, where it is, and which package it needs."""

    label: str
    home: str
    package: str | None = None

    def load(self) -> type:
        """Import the side's class."""
        module, name = self.home.split(":")
        return getattr(import_module(f"benchmarks.sides.{module}"), name)

    def is_installed(self) -> bool:
        """Say whether the package that the side needs is there; nothing is imported."""
        return self.package is None or find_spec(self.package) is not None


FIT = Entry("vae_tf1: fit", "ours:Fit")
UNCOMPILED = Entry("vae_tf1: fit(compile=False)", "ours:FitUncompiled")
SESSION = Entry("sess.run per step (as the original)", "session:SessionPerStep")
PEERS = [
    Entry("PyTorch, eager", "pytorch:Eager", "torch"),
    Entry("PyTorch, compiled", "pytorch:Compiled", "torch"),
    Entry("JAX, jit per step", "jax_peer:Step", "jax"),
    Entry("JAX, scan", "jax_peer:Scan", "jax"),
]
FLOORS = [
    Entry("matrix products: NumPy", "products:NumPy"),
    Entry("matrix products: TensorFlow session", "products:TensorFlow"),
    Entry("matrix products: XLA", "products:XLA"),
    Entry("matrix products: PyTorch", "products:PyTorch", "torch"),
]
PARTS = {  # ours, and the same model in JAX
    "bound of k = 5": (
        Entry("vae_tf1: fit", "ours:ImportanceWeighted"),
        Entry("JAX, scan", "jax_parts:ImportanceWeighted", "jax"),
    ),
    "planar flow of 10": (
        Entry("vae_tf1: fit", "ours:PlanarFlow"),
        Entry("JAX, scan", "jax_parts:PlanarFlow", "jax"),
    ),
    "mixture prior of 10": (
        Entry("vae_tf1: fit", "ours:MixturePrior"),
        Entry("JAX, scan", "jax_parts:MixturePrior", "jax"),
    ),
}
