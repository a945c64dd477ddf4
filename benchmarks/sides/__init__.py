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
    Entry("Keras on TensorFlow, Model.fit", "keras_peer:OnTensorFlow", "keras"),
    Entry("Keras on JAX, Model.fit", "keras_peer:OnJAX", "jax"),
]
FLOORS = [
    Entry("matrix products: NumPy", "products:NumPy"),
    Entry("matrix products: TensorFlow session", "products:TensorFlow"),
    Entry("matrix products: XLA", "products:XLA"),
    Entry("matrix products: PyTorch", "products:PyTorch", "torch"),
]
IN_JAX = Entry("JAX, scan", "jax_parts:LogLikelihood", "jax")  # `log_likelihood`


class Part(NamedTuple):
    """A model with another part than the default one: ours, the same in JAX, and its products."""

    home: str  # the name of the class in `ours` and in `jax_parts`
    codes: int = 1  # see `Problem`
    components: int = 0

    @property
    def sides(self) -> list[Entry]:
        """The sides that train it, ours first."""
        ours = FIT._replace(home=f"ours:{self.home}")
        return [ours, Entry("JAX, scan", f"jax_parts:{self.home}", "jax")]


PARTS = {
    "bound of k = 5": Part("ImportanceWeighted", codes=5),
    "planar flow of 10": Part("PlanarFlow"),
    "mixture prior of 10": Part("MixturePrior", components=10),
    "continuous Bernoulli": Part("ContinuousBernoulli"),
    "dynamic binarization": Part("Dynamic"),
}
