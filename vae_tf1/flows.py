"""Normalizing flows: invertible maps of the code, which give a Gaussian any other shape.

    z = f(z₀),   log p(z) = log p(z₀) − log |det ∂f/∂z₀|

As ``flow=`` of a model a flow maps the encoder's Gaussian to q(z|x); as ``prior=``, N(0, I) to
p(z). A flow of one's own is any object with ``forward``, and with ``inverse`` to be a prior; any
bijector of TensorFlow Probability is one, trainable variables included.

References
----------
Rezende & Mohamed (2015), *Variational Inference with Normalizing Flows*, ICML.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from vae_tf1.backend.tfp import in_graph, is_tfp, values_of
from vae_tf1.checks import check_count
from vae_tf1.model.initializers import glorot
from vae_tf1.model.layers import activation

__all__ = [
    "READY_MADE",
    "Flow",
    "InverseAutoregressive",
    "MaskedAutoregressive",
    "Planar",
    "RealNVP",
    "as_flow",
]

Seeds = Callable[[], "tuple[int, int]"]
_LARGEST_LOG_SCALE = 2.0  # of a step: its exponential can neither overflow nor vanish


class Flow(Protocol):
    """An invertible map of codes.

    Attributes
    ----------
    variables : list of tf.Variable, optional
        What is trained.
    build : callable, optional
        ``build(M, next_seed, context)`` creates the variables; the model calls it in its graph, on
        a copy. `context` is the number of values of the context, 0 if there is none.
    inverse : callable, optional
        ``inverse(Z) -> (Z0, log_det)`` with log |det ∂z₀/∂z|: needed to be a prior.
    """

    def forward(self, Z0: tf.Tensor, context: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        """Return codes (B, M), and log |det ∂z/∂z₀| in nats, (B,).

        The context is means and stddev of the encoder's Gaussian, (B, 2M); a prior has none.
        """


@dataclass(eq=False)
class Planar:
    """f(z) = z + u tanh(wᵀz + b), a number of times.

    It has no inverse in closed form, so it cannot be a prior.

    Parameters
    ----------
    n
        Number of maps.

    References
    ----------
    Rezende & Mohamed (2015), section 4.1, and appendix A.1 for the condition on u.
    """

    n: int = 10
    variables: list[tf.Variable] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        self.n = check_count(self.n, "n")

    def build(self, M: int, next_seed: Seeds, context: int = 0) -> None:
        """Create w, u (n, M) and b (n,): a map that is nearly the identity."""
        w, u = (tf.random.stateless_normal((self.n, M), next_seed()) for _ in range(2))
        self.w = _variable(w / np.sqrt(M))
        self.u = _variable(0.01 * u)
        self.b = _variable(np.zeros(self.n, np.float32))
        self.variables = [self.w, self.u, self.b]

    def forward(
        self, Z: tf.Tensor, context: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return codes (B, M), and log |det ∂z/∂z₀| in nats, (B,)."""
        w, u, b = (tf.cast(variable, Z.dtype) for variable in self.variables)
        # u + (m(wᵀu) − wᵀu) w/|w|² with m(a) = softplus(a) − 1 > −1: then f is invertible.
        wu = tf.reduce_sum(w * u, 1, keepdims=True)
        squared = tf.reduce_sum(w * w, 1, keepdims=True)
        u = u + (tf.nn.softplus(wu) - 1 - wu) * w / squared
        wu = tf.reduce_sum(w * u, 1)
        log_det = tf.zeros_like(Z[:, 0])
        for i in range(self.n):
            h = tf.tanh(tf.linalg.matvec(Z, w[i]) + b[i])
            Z = Z + h[:, tf.newaxis] * u[i]
            # det ∂f/∂z = 1 + (1 − tanh²) wᵀu
            log_det += tf.math.log1p((1 - h * h) * wu[i])
        return Z, log_det


class _Bijective:
    """A flow made of bijectors of TensorFlow Probability; which ones may depend on the context."""

    def bijectors(self, context: tf.Tensor | None) -> Sequence[Any]:
        """Return the bijectors, the first one first."""
        raise NotImplementedError

    def forward(
        self, Z: tf.Tensor, context: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return codes (B, M), and log |det ∂z/∂z₀| in nats, (B,)."""
        log_det = tf.zeros_like(Z[:, 0])
        for bijector in self.bijectors(context):
            log_det += bijector.forward_log_det_jacobian(Z, event_ndims=1)
            Z = bijector.forward(Z)
        return Z, log_det

    def inverse(
        self, Z: tf.Tensor, context: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the codes z₀ that `forward` maps to these, and log |det ∂z₀/∂z| in nats."""
        log_det = tf.zeros_like(Z[:, 0])
        for bijector in reversed(self.bijectors(context)):
            log_det += bijector.inverse_log_det_jacobian(Z, event_ndims=1)
            Z = bijector.inverse(Z)
        return Z, log_det


@dataclass(eq=False)
class _Affine(_Bijective):
    """Affine maps whose shift and scale a network reads off other units of the code.

    Between two of them the order of the units is reversed.

    Parameters
    ----------
    n
        Number of maps.
    hidden
        Widths of the hidden layers of each network.
    f
        Their activation, a function or the name of one.
    context
        Whether the network of a posterior's flow sees means and stddev of the image.
    """

    n: int = 2
    hidden: Sequence[int] = (256,)
    f: Any = tf.nn.relu
    context: bool = True
    variables: list[tf.Variable] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        self.n, self.f = check_count(self.n, "n"), activation(self.f)
        if not isinstance(self.hidden, Iterable) or isinstance(self.hidden, str):
            raise TypeError(f"hidden must be a list of integers such as [256], not {self.hidden!r}")
        self.hidden = tuple(check_count(width, "a width in hidden") for width in self.hidden)
        if not self.hidden:
            raise ValueError("hidden is empty: at least one hidden layer is expected")

    def build(self, M: int, next_seed: Seeds, context: int = 0) -> None:
        """Create the networks: a map that is the identity but for the order."""
        import tensorflow_probability as tfp

        self._tfb = tfp.bijectors
        self.M = M
        seen = context if self.context else 0
        self.networks = [self._network(next_seed, seen) for _ in range(self.n)]
        self.variables = [v for network in self.networks for v in network.variables]

    def _network(self, next_seed: Seeds, context: int) -> _Network:
        raise NotImplementedError

    def _map(self, network: Callable) -> Any:
        raise NotImplementedError

    def bijectors(self, context: tf.Tensor | None) -> list[Any]:
        """Return the maps, and a permutation before each but the first."""
        reverse = self._tfb.Permute(np.arange(self.M)[::-1])
        maps = [self._map(partial(network, context)) for network in self.networks]
        return [each for step in maps for each in (reverse, step)][1:]


@dataclass(eq=False)
class MaskedAutoregressive(_Affine):
    """z_i = z₀_i exp(log_scale(z_<i)) + shift(z_<i): a fast density, and samples unit by unit.

    As ``prior=``; for the posterior take `InverseAutoregressive`. The parameters are n, hidden, f
    and context, see there.

    References
    ----------
    Papamakarios, Pavlakou & Murray (2017), *Masked Autoregressive Flow for Density Estimation*.
    Germain et al. (2015), *MADE: Masked Autoencoder for Distribution Estimation*, ICML.
    """

    def _network(self, next_seed: Seeds, context: int) -> _Network:
        # Unit i is told only what units 1 … i − 1 have told the hidden units.
        M = self.M
        degrees = [np.arange(1, M + 1)]
        degrees += [np.arange(width) % max(M - 1, 1) + 1 for width in self.hidden]
        masks = [a[:, None] <= b[None] for a, b in itertools.pairwise(degrees)]
        last = degrees[-1][:, None] < np.tile(degrees[0], 2)[None]
        return _Network([*masks, last], self.f, next_seed, context)

    def _map(self, network: Callable) -> Any:
        return self._tfb.MaskedAutoregressiveFlow(network)


@dataclass(eq=False)
class InverseAutoregressive(MaskedAutoregressive):
    """z_i = (z₀_i − shift(z₀_<i)) exp(−log_scale(z₀_<i)): fast samples, for the posterior.

    Parameters
    ----------
    n
        Number of maps.
    hidden
        Widths of the hidden layers of each network.
    f
        Their activation, a function or the name of one.
    context
        Whether the networks see means and stddev of the image.

    References
    ----------
    Kingma et al. (2016), *Improving Variational Inference with Inverse Autoregressive Flow*, NIPS.
    """

    def _map(self, network: Callable) -> Any:
        return self._tfb.Invert(super()._map(network))


@dataclass(eq=False)
class RealNVP(_Affine):
    """One half of the code stays, and gives the shift and the scale of the other; then they swap.

    Both directions are fast, so it can be a posterior's flow and a prior. M is 2 at least.

    Parameters
    ----------
    n
        Number of maps.
    hidden
        Widths of the hidden layers of each network.
    f
        Their activation, a function or the name of one.
    context
        Whether the networks of a posterior's flow see means and stddev of the image.

    References
    ----------
    Dinh, Sohl-Dickstein & Bengio (2017), *Density estimation using Real NVP*, ICLR.
    """

    n: int = 4

    def build(self, M: int, next_seed: Seeds, context: int = 0) -> None:
        """Create the networks: a map that is the identity but for the order."""
        if M < 2:
            raise ValueError("RealNVP needs a code of at least 2 units, but M is 1")
        super().build(M, next_seed, context)

    def _network(self, next_seed: Seeds, context: int) -> _Network:
        sizes = [self.M // 2, *self.hidden, 2 * (self.M - self.M // 2)]
        masks = [np.ones(pair, bool) for pair in itertools.pairwise(sizes)]
        return _Network(masks, self.f, next_seed, context)

    def _map(self, network: Callable) -> Any:
        return self._tfb.RealNVP(
            num_masked=self.M // 2, shift_and_log_scale_fn=lambda kept, n_changed: network(kept)
        )


class _Network:
    """Dense layers, masked, that give a shift and a bounded log scale."""

    def __init__(
        self, masks: Sequence[np.ndarray], f: Callable, next_seed: Seeds, context: int
    ) -> None:
        self._masks, self._f = masks, f
        *shapes, last = [mask.shape for mask in masks]
        weights = [glorot(shape, next_seed()) for shape in shapes]
        self._W = [_variable(W) for W in [*weights, np.zeros(last, np.float32)]]
        self._b = [_variable(np.zeros(mask.shape[1], np.float32)) for mask in masks]
        # What is seen of the context enters the first hidden layer, without a mask.
        self._V = None
        if context:
            self._V = _variable(glorot((context, masks[0].shape[1]), next_seed()))
        self.variables = [*self._W, *self._b, *([] if self._V is None else [self._V])]

    def __call__(self, context: tf.Tensor | None, value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seen = 0.0 if self._V is None else tf.matmul(context, tf.cast(self._V, value.dtype))
        for i, (mask, W, b) in enumerate(zip(self._masks, self._W, self._b, strict=True)):
            W, b = tf.cast(W, value.dtype), tf.cast(b, value.dtype)
            value = tf.matmul(value, W * mask.astype(value.dtype.as_numpy_dtype)) + b + seen
            seen = 0.0
            if i < len(self._W) - 1:
                value = self._f(value)
        shift, unbounded = tf.split(value, 2, axis=-1)
        return shift, _LARGEST_LOG_SCALE * tf.tanh(unbounded / _LARGEST_LOG_SCALE)


class _Given(_Bijective):
    """A bijector of TensorFlow Probability, or a function that returns one in the model's graph."""

    def __init__(self, bijector: Any) -> None:
        self._bijector = bijector
        self.__name__ = getattr(bijector, "__name__", type(bijector).__name__)
        self._values = values_of(bijector) if is_tfp(bijector) else {}
        self.variables: list[tf.Variable] = []

    def build(self, M: int, next_seed: Seeds, context: int = 0) -> None:
        """Make the bijector in the graph that is the default one."""
        given = self._bijector
        self._bijector = in_graph(given, self._values) if is_tfp(given) else given()
        if not is_tfp(self._bijector):
            raise TypeError(f"flow must return a bijector, not {self._bijector!r}")
        self.variables = list(self._bijector.trainable_variables)

    def bijectors(self, context: tf.Tensor | None) -> list[Any]:
        """Return the bijector."""
        return [self._bijector]


READY_MADE = {
    cls.__name__: cls for cls in (Planar, InverseAutoregressive, MaskedAutoregressive, RealNVP)
}


def as_flow(flow: Any) -> Flow:
    """Return a flow, of a bijector or of a function that returns one too.

    Raises
    ------
    TypeError
        If it is none.
    """
    if isinstance(flow, type):
        raise TypeError(f"flow must be an object, not the class {flow.__name__}")
    if hasattr(flow, "forward_log_det_jacobian"):
        return _Given(flow)
    if hasattr(flow, "forward"):
        return flow
    if callable(flow):
        return _Given(flow)
    raise TypeError(
        f"flow must be one of vae_tf1.flows, a bijector of TensorFlow Probability, or an object "
        f"with forward(Z, context), not {flow!r}"
    )


def check_size(flow: Flow, M: int, context: int) -> None:
    """Raise a ValueError unless a flow that has been built maps codes (B, M) to codes (B, M)."""
    with tf.name_scope("check"):
        Z0 = tf.compat.v1.placeholder(tf.float32, (None, M))
        seen = tf.compat.v1.placeholder(tf.float32, (None, context)) if context else None
        try:
            Z, log_det = flow.forward(Z0, seen)
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            message = str(error).strip().splitlines()[0]
            raise ValueError(f"the flow does not take codes of M = {M} units: {message}") from None
    if Z.shape.as_list()[1:] != [M] or log_det.shape.rank != 1:
        raise ValueError(
            f"the flow must map codes of shape (B, {M}) to codes of that shape and to log "
            f"determinants of shape (B,), not to {Z.shape} and {log_det.shape}"
        )


def _variable(initial: Any) -> tf.Variable:
    return tf.compat.v1.Variable(initial, use_resource=True)
