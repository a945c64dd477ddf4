"""Which tensors of a checkpoint are the layers of a variational autoencoder.

A checkpoint has names and shapes and no graph. In a chain of dense layers each matrix has as many
rows as the one before it has columns; at one place, between encoder and decoder, 2M columns (or two
heads of M) meet M rows; and the last matrix has the columns that the first has rows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vae_tf1.convert.activations import Activation
from vae_tf1.convert.network import Dense, Network
from vae_tf1.convert.tensors import Checkpoint, Tensor
from vae_tf1.errors import ConversionError

__all__ = ["Layer", "Recognised", "network", "recognise"]

_WEIGHT = {"w", "weight", "weights", "kernel", "matrix", "b", "bias", "biases"}
_ENCODER = ("enc", "recog", "infer", "q_net", "qnet")
_DECODER = ("dec", "gen", "p_net", "pnet")
_MEAN = ("mean", "mu", "loc")
_SPREAD = ("var", "std", "stddev", "sigma", "scale", "sd", "dev")
_MOST = 40  # matrices


class Layer(NamedTuple):
    """A dense layer by the names of its tensors; two heads, means first, stand for one layer."""

    W: tuple[str, ...]
    b: tuple[str | None, ...]  # None for a layer without biases
    shape: tuple[int, int]


class Recognised(NamedTuple):
    """The layers in order, and what their names suggest about the standard deviations."""

    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    stddev: str  # a key of STDDEVS

    @property
    def D(self) -> int:
        """Number of values of an image."""
        return self.encoder[0].shape[0]

    @property
    def M(self) -> int:
        """Size of the code."""
        return self.decoder[0].shape[0]


def recognise(checkpoint: Checkpoint, layers: Sequence[str] | None = None) -> Recognised:
    """Find the layers of a variational autoencoder.

    Parameters
    ----------
    checkpoint
        Any checkpoint.
    layers
        The matrices in order, the encoder's first; "means+log_variance" for two heads, and
        "weights:biases" if the biases cannot be found by name and order. By default every matrix
        must find its place.

    Raises
    ------
    ConversionError
        If there is no such chain of layers, or more than one.
    """
    variables = [tensor for tensor in checkpoint.tensors if tensor.is_variable]
    matrices = {t.name: t for t in variables if len(t.shape) == 2 and t.dtype.is_floating}
    vectors = {t.name: t for t in variables if len(t.shape) == 1 and t.dtype.is_floating}
    if layers:
        named, biases = _named(layers, checkpoint, matrices, vectors)
        chains = [_split(named, matrices)]
    else:
        other = [t for t in variables if t.name not in matrices and t.name not in vectors]
        if other:
            raise _no_vae(f"{other[0].name} {other[0].shape} is no part of a dense layer")
        if not 2 <= len(matrices) <= _MOST:
            raise _no_vae(f"there are {len(matrices)} matrices")
        biases, chains = {}, _best(list(_chains(list(matrices.values()))))
        widest = max((matrices[encoder[0][0]].shape[0] for encoder, _ in chains), default=0)
        chains = [c for c in chains if matrices[c[0][0][0]].shape[0] == widest]
    if not chains:
        raise _no_vae("the shapes form no chain from D values to 2M and from M to D")
    if len(chains) > 1:
        raise ConversionError(
            "the layers can be put in order in several ways by their shapes: give --layers"
        )
    encoder, decoder = chains[0]
    names = [name for item in encoder + decoder for name in item]
    biases = biases | _biases([n for n in names if n not in biases], matrices, vectors, biases)
    unused = [name for name in vectors if name not in biases.values()]
    if unused and not layers:
        raise _no_vae(f"{unused[0]} {vectors[unused[0]].shape} is no bias of a dense layer")

    def layer(item: tuple[str, ...]) -> Layer:
        columns = sum(matrices[name].shape[1] for name in item)
        shape = matrices[item[0]].shape[0], columns
        return Layer(item, tuple(biases.get(name) for name in item), shape)

    return Recognised(tuple(map(layer, encoder)), tuple(map(layer, decoder)), _stddev(encoder[-1]))


def network(
    checkpoint: Checkpoint, found: Recognised, activation: Activation, stddev: str | None = None
) -> Network:
    """Read the layers' values; `activation` is what the checkpoint does not tell: the hidden one.

    Raises
    ------
    CheckpointError
        If a value is damaged.
    ConversionError
        If a value is NaN or infinite.
    """

    def part(layers: tuple[Layer, ...]) -> tuple[Dense, ...]:
        made = []
        for number, layer in enumerate(layers, 1):
            names = [name for name in (*layer.W, *layer.b) if name]
            values = checkpoint.values(names)
            for name, value in values.items():
                if not np.isfinite(value.astype(np.float64)).all():
                    raise ConversionError(f"{name} has values that are NaN or infinite")
            W = [values[name].astype(np.float32) for name in layer.W]
            b = [
                values[name].astype(np.float32) if name else np.zeros(w.shape[1], np.float32)
                for name, w in zip(layer.b, W, strict=True)
            ]
            f = activation if number < len(layers) else Activation("identity")
            made.append(Dense(np.concatenate(W, 1), np.concatenate(b), f))
        return tuple(made)

    return Network(part(found.encoder), part(found.decoder), stddev or found.stddev)


Chain = tuple[list[tuple[str, ...]], list[tuple[str, ...]]]


def _chains(matrices: list[Tensor]) -> Iterator[Chain]:
    """Yield the ways to use every matrix once.

    Of matrices with one shape and one hint in their names, the first in natural order comes first.
    """

    def candidates(rows: int, left: list[Tensor]) -> Iterator[Tensor]:
        seen = set()
        for tensor in left:
            kind = tensor.shape, _hint(tensor.name)
            if tensor.shape[0] == rows and kind not in seen:
                seen.add(kind)
                yield tensor

    def decode(width: int, D: int, left: list[Tensor]) -> Iterator[list[tuple[str, ...]]]:
        if not left:
            if width == D:
                yield []
            return
        for tensor in candidates(width, left):
            rest = [other for other in left if other is not tensor]
            for tail in decode(tensor.shape[1], D, rest):
                yield [(tensor.name,), *tail]

    def encode(width: int, D: int, left: list[Tensor]) -> Iterator[Chain]:
        for tensor in candidates(width, left):
            rest = [other for other in left if other is not tensor]
            columns = tensor.shape[1]
            for encoder, decoder in encode(columns, D, rest):
                yield [(tensor.name,), *encoder], decoder
            if columns % 2 == 0:  # M means and M standard deviations
                for decoder in decode(columns // 2, D, rest):
                    if decoder:
                        yield [(tensor.name,)], decoder
            head = next((t for t in rest if t.shape == tensor.shape and _pair(tensor, t)), None)
            if head is not None:  # two heads
                rest = [other for other in rest if other is not head]
                for decoder in decode(columns, D, rest):
                    if decoder:
                        yield [_means_first(tensor.name, head.name)], decoder

    for D in dict.fromkeys(tensor.shape[0] for tensor in matrices):
        yield from encode(D, D, matrices)


def _best(chains: list[Chain]) -> list[Chain]:
    """Return the chains that agree best with the names; several if the names do not tell.

    The last matrix fits before the first, so that a chain can be cut at each of its layers: names
    that say encoder or decoder, and names that are numbered, tell where it begins.
    """

    def cost(chain: Chain) -> tuple[int, int, int]:
        encoder, decoder = ([name for item in part for name in item] for part in chain)
        wrong = sum(_hint(n) == "decoder" for n in encoder)
        wrong += sum(_hint(n) == "encoder" for n in decoder)
        within = _inversions(encoder) + _inversions(decoder)
        return wrong, within, _inversions(encoder + decoder)

    costs = [cost(chain) for chain in chains]
    return [chain for chain, c in zip(chains, costs, strict=True) if c == min(costs)]


def _inversions(names: Sequence[str]) -> int:
    """Count the pairs of names that differ in their numbers alone, the greater one first."""

    def numbers(name: str) -> list[int]:
        return [int(digits) for digits in re.findall(r"\d+", name)]

    def text(name: str) -> str:
        return re.sub(r"_?\d+", "", name)

    pairs = itertools.combinations(names, 2)
    return sum(text(a) == text(b) and numbers(a) > numbers(b) for a, b in pairs)


def _split(items: list[tuple[str, ...]], matrices: dict[str, Tensor]) -> Chain:
    """Divide the named layers into encoder and decoder, and check that they fit together."""

    def columns(item: tuple[str, ...]) -> int:
        return sum(matrices[name].shape[1] for name in item)

    rows = [matrices[item[0]].shape[0] for item in items]
    places = [
        i
        for i in range(1, len(items))
        if columns(items[i - 1]) == 2 * rows[i]
        and all(len(item) == 1 for item in items[: i - 1] + items[i:])
        and all(columns(items[k - 1]) == rows[k] for k in range(1, len(items)) if k != i)
    ]
    if len(places) != 1 or columns(items[-1]) != rows[0]:
        shapes = ", ".join(f"{rows[i]}×{columns(item)}" for i, item in enumerate(items))
        raise ConversionError(
            f"--layers does not lead from D values to 2M and from M to D: {shapes}"
        )
    return items[: places[0]], items[places[0] :]


def _named(
    layers: Sequence[str],
    checkpoint: Checkpoint,
    matrices: dict[str, Tensor],
    vectors: dict[str, Tensor],
) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    items: list[tuple[str, ...]] = []
    biases = {}
    for layer in layers:
        item = []
        for head in layer.split("+"):
            W, _, b = head.strip().partition(":")
            for name, known, what in ((W, matrices, "matrix"), (b, vectors, "vector")):
                if name not in known and (name or what == "matrix"):
                    there = {t.name: t.shape for t in checkpoint.tensors}.get(name)
                    found = f"has shape {there}" if there is not None else "is not in it"
                    raise ConversionError(
                        f"--layers: {name!r} is expected to be a {what} of {checkpoint.prefix}, "
                        f"but {found}"
                    )
            if b:
                if vectors[b].shape[0] != matrices[W].shape[1]:
                    raise ConversionError(
                        f"--layers: {b} has {vectors[b].shape[0]} values, but {W} has "
                        f"{matrices[W].shape[1]} columns"
                    )
                biases[W] = b
            item.append(W)
        if len({matrices[name].shape for name in item}) > 1 or len(item) > 2:
            raise ConversionError(f"--layers: {layer} must be one matrix, or two of one shape")
        items.append(tuple(item))
    names = [name for item in items for name in item]
    if len(set(names)) < len(names):
        raise ConversionError("--layers names a matrix twice")
    return items, biases


def _biases(
    names: Sequence[str],
    matrices: dict[str, Tensor],
    vectors: dict[str, Tensor],
    taken: dict[str, str],
) -> dict[str, str]:
    """Find each matrix's biases: by name, else by the order of those of one width."""
    free = {name: t for name, t in vectors.items() if name not in taken.values()}
    found: dict[str, str] = {}
    for name in names:
        same = [v for v in free if _stem(v) == _stem(name) and v not in found.values()]
        if len(same) == 1 and free[same[0]].shape[0] == matrices[name].shape[1]:
            found[name] = same[0]
    widths: dict[int, list[str]] = {}
    for name in matrices:  # in natural order, as the vectors
        if name in names and name not in found:
            widths.setdefault(matrices[name].shape[1], []).append(name)
    for width, group in widths.items():
        fitting = [v for v, t in free.items() if t.shape[0] == width and v not in found.values()]
        if len(fitting) == len(group):
            found |= dict(zip(group, fitting, strict=True))
        elif fitting:
            raise ConversionError(
                f"it is not clear which biases belong to {group[0]}: give --layers weights:biases,…"
            )
    return found


def _stem(name: str) -> tuple[str, ...]:
    """Return what weights and biases of one layer have in common: enc/1 for enc_W1 and enc_b1."""
    parts = re.findall(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+|\d+", name)
    return tuple(part.lower() for part in parts if part.lower() not in _WEIGHT)


def _hint(name: str) -> str:
    """Return "encoder" or "decoder" if a name says so."""
    name = name.lower()
    for part, words in (("encoder", _ENCODER), ("decoder", _DECODER)):
        if any(re.search(rf"(^|[/_]){word}", name) for word in words):
            return part
    return ""


def _words(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _is_spread(name: str) -> bool:
    return any(re.search(rf"(^|[/_]|log){word}", _words(name)) for word in _SPREAD)


def _is_mean(name: str) -> bool:
    return any(re.search(rf"(^|[/_]){word}", _words(name)) for word in _MEAN)


def _pair(a: Tensor, b: Tensor) -> bool:
    """Tell whether two matrices of one shape look like the heads of means and of deviations."""
    spread, mean = [_is_spread(t.name) for t in (a, b)], [_is_mean(t.name) for t in (a, b)]
    return (spread[0] != spread[1]) or (mean[0] != mean[1]) or not any((*spread, *mean))


def _means_first(a: str, b: str) -> tuple[str, str]:
    if _is_spread(a) and not _is_spread(b):
        return b, a
    return (b, a) if _is_mean(b) and not _is_mean(a) else (a, b)


def _stddev(heads: tuple[str, ...]) -> str:
    """Guess from the name of the second head what it is: log variance, log stddev, or neither."""
    if len(heads) == 1:
        return "softplus"
    name = _words(heads[1])
    if re.search(r"log_?(var|sigma_?(sq|2)|stddev_?sq|std_?sq)", name):
        return "exp_half"
    return "exp" if re.search(r"log_?(std|sigma|scale|sd)", name) else "softplus"


def _no_vae(why: str) -> ConversionError:
    return ConversionError(
        f"no variational autoencoder of dense layers is recognised: {why}; --layers names its "
        "matrices in order"
    )
