"""What a model is made of: encoder, decoder, likelihood, prior and flow, and their variables.

`vae_tf1.model.graph.Model` puts the parts together to the paper's equations.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf1 import flows, likelihoods, priors
from vae_tf1.backend.memory import check_room
from vae_tf1.checks import check_count, check_one_of
from vae_tf1.likelihoods import Likelihood
from vae_tf1.model import layers, noise, parts
from vae_tf1.model.layers import DenseLayer
from vae_tf1.model.noise import Stream

__all__ = ["PARTS", "Composition"]

_BYTES_PER_WEIGHT = 4 * 5  # float32: the weight, its two slots, its gradient, and the update


class Composition:
    """The parts of a model, checked at the door and built in the model's graph.

    The parameters and attributes are described at `vae_tf1.VariationalAutoencoder`.
    """

    X: tf.Tensor
    Z_input: tf.Tensor

    def __init__(
        self,
        D: int,
        hidden_layer_sizes: Sequence[int],
        *,
        prior: Any = None,
        kl: str = "analytic",
        likelihood: str | Likelihood = "bernoulli",
        encoder: Any = None,
        decoder: Any = None,
        flow: Any = None,
        n_labels: int | None = None,
    ) -> None:
        self.D = check_count(D, "D")
        self.hidden_layer_sizes = _check_sizes(hidden_layer_sizes)
        if encoder is not None and decoder is not None and len(self.hidden_layer_sizes) > 1:
            raise ValueError(
                "hidden_layer_sizes is [M], the size of the code, if encoder and decoder are given"
            )
        self._own_layers = {"encoder": encoder, "decoder": decoder}
        self.M = self.hidden_layer_sizes[-1]
        self.kl = check_one_of(kl, "kl", ("analytic", "monte_carlo"))
        self.prior = prior
        self.prior_distribution: Any = priors.as_prior(prior, self.M)
        self.flow = None if flow is None else flows.as_flow(flow)
        self.n_labels = None if n_labels is None else check_count(n_labels, "n_labels", least=2)
        if n_labels is not None and isinstance(prior, priors.VampPrior):
            raise ValueError("a VampPrior's pseudo-images have no labels: leave out n_labels")
        self.likelihood = likelihoods.as_likelihood(likelihood)

    def check_room(self) -> None:
        """Raise a MemoryError if weights, slots and gradients do not fit into this machine."""
        *hidden, M = self.hidden_layer_sizes
        sizes = [self.D, *hidden, 2 * M], [M, *hidden[::-1], self.D * self.likelihood.n_parameters]
        weights = sum(a * b for each in sizes for a, b in itertools.pairwise(each))
        named = "-".join(map(str, [self.D, *hidden, M]))
        check_room(_BYTES_PER_WEIGHT * weights, f"a model with the layers {named}")

    @property
    def seed(self) -> int:
        """Everything random about the model and its training follows from this integer."""
        raise NotImplementedError

    # Building ------------------------------------------------------------------------------------

    def build_composition(self) -> None:
        """Create all variables, as functions of the seed and of what `X` and `Z_input` are."""
        self.likelihood = parts.adopted(self.likelihood, self.D)
        self._build_layers()
        self._build_parts()

    def _build_layers(self) -> None:
        """Create the layers in the original's order, which is that of the names in checkpoints."""
        numbers = itertools.count()

        def weights_seed() -> tuple[int, int]:
            return _pair_of_seeds(self.seed, Stream.WEIGHTS, next(numbers))

        n_parameters = self.D * self.likelihood.n_parameters
        self.widest = n_parameters  # most values of an image, of its code, or of a layer between

        def network(which: str, value: tf.Tensor, hidden: list[int], outputs: int) -> list[Any]:
            """Return the user's layers, or a relu layer for each size; then an unbounded one."""
            own = self._own_layers[which]
            if own is None:
                sizes = [*value.shape.as_list()[1:], *hidden]
                first = [
                    DenseLayer(*pair, seed=weights_seed()) for pair in itertools.pairwise(sizes)
                ]
            else:
                first, sizes = layers.adopt(own, value, weights_seed, which)
                sizes = [*value.shape.as_list()[1:], *sizes]
            self.widest = max(self.widest, *sizes)
            return [*first, DenseLayer(sizes[-1], outputs, f=tf.identity, seed=weights_seed())]

        *hidden, M = self.hidden_layer_sizes
        self.encoder_layers = network("encoder", self.X, hidden, 2 * M)  # means, unbounded stddev
        self.decoder_layers = network("decoder", self.Z_input, hidden[::-1], n_parameters)

    def _build_parts(self) -> None:
        """Create the variables of prior and flow, and see whether the KL has a closed form."""

        def next_seed() -> tuple[int, int]:
            return _pair_of_seeds(self.seed, Stream.PARTS, next(numbers))

        numbers = itertools.count()
        if self.flow is not None:
            self.flow = parts.adopted(self.flow, self.M, next_seed, 2 * self.M)
            flows.check_size(self.flow, self.M, 2 * self.M)
        if not isinstance(self.prior_distribution, priors.Normal):
            self.prior_distribution = parts.adopted(self.prior_distribution, self, next_seed)
            priors.check_shape(self.prior_distribution, self.M)
        if self.flow is not None or not hasattr(self.prior_distribution, "kl"):
            self.kl = "monte_carlo"
        for name, part in self._parts().items():
            parts.check_variables(part, f"the {name}")

    # Variables -----------------------------------------------------------------------------------

    @property
    def variables(self) -> list[tf.Variable]:
        """What is trained, in the order of the names in a checkpoint: weights and biases first."""
        everything = [*self.encoder_layers, *self.decoder_layers]
        of_layers = [v for layer in everything for v in parts.variables_of(layer)]
        return of_layers + [v for found in self.part_variables.values() for v in found]

    @property
    def part_variables(self) -> dict[str, list[tf.Variable]]:
        """The variables of each part other than the layers, by the name of the part."""
        return {name: parts.variables_of(part) for name, part in self._parts().items()}

    def _parts(self) -> dict[str, Any]:
        return {
            "likelihood": self.likelihood,
            "prior": self.prior_distribution,
            "flow": self.flow,
        }

    # Labels --------------------------------------------------------------------------------------

    # With n_labels, the one-hot label of each image stands after its D values, and so it does after
    # the M values of a code that is decoded: p(x|z, y), q(z|x, y).

    @property
    def width(self) -> int:
        """Number of values of an image and of its label."""
        return self.D + (self.n_labels or 0)

    def images(self, X: tf.Tensor) -> tf.Tensor:
        """Return images (B, D) without their labels."""
        return X if self.n_labels is None else X[:, : self.D]

    def given(self, Z: tf.Tensor, X: tf.Tensor) -> tf.Tensor:
        """Return codes with the labels of these images, as `decode` takes them."""
        return Z if self.n_labels is None else tf.concat([Z, X[:, self.D :]], 1)

    # Descriptions --------------------------------------------------------------------------------

    def describe_parts(self) -> dict[str, Any]:
        """Return the parts that are not the default ones, in JSON's types."""
        described: dict[str, Any] = {}
        if type(self.likelihood) is not likelihoods.Bernoulli:
            described["likelihood"] = parts.describe(self.likelihood, likelihoods.READY_MADE)
        for which, own in self._own_layers.items():
            if own is not None:
                *first, _ = getattr(self, f"{which}_layers")
                described[which] = [parts.describe(layer, layers.READY_MADE) for layer in first]
        if self.n_labels is not None:
            described["n_labels"] = self.n_labels
        if self.flow is not None:
            described["flow"] = parts.describe(self.flow, flows.READY_MADE)
        return described

    def describe_prior(self) -> dict[str, Any] | None:
        """Return the prior in JSON's types, None if it is N(0, I)."""
        if self.prior is None:
            return None
        if hasattr(self.prior, "KL_divergence"):
            return {"mean": self.prior.prior_mean, "variance": self.prior.prior_variance}
        found = self.prior_distribution
        described = found.flow if isinstance(found, priors.FlowPrior) else found
        return parts.describe(described, priors.READY_MADE)


def _check_sizes(sizes: Sequence[int]) -> list[int]:
    if not np.iterable(sizes) or isinstance(sizes, str):
        raise TypeError(
            f"hidden_layer_sizes must be a list of integers such as [200, 100], not {sizes!r}"
        )
    checked = [check_count(size, "a hidden layer size") for size in sizes]
    if not checked:
        raise ValueError("hidden_layer_sizes is empty: the last one is the size of the code")
    return checked


def _pair_of_seeds(seed: int, *path: int) -> tuple[int, int]:
    return divmod(noise.key(seed, *path), 2**32)


PARTS: dict[str, parts.Table] = {
    "likelihood": likelihoods.READY_MADE,
    "encoder": layers.READY_MADE,
    "decoder": layers.READY_MADE,
    "prior": priors.READY_MADE,
    "flow": flows.READY_MADE,
}  # the ready-made parts by the argument that takes them
