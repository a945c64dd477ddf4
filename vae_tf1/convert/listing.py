"""What ``--list`` prints of a checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from vae_tf1.convert.network import STDDEVS
from vae_tf1.convert.recognise import Layer, Recognised, recognise
from vae_tf1.convert.tensors import Checkpoint
from vae_tf1.errors import ConversionError

__all__ = ["describe"]


def describe(
    checkpoint: Checkpoint,
    layers: Sequence[str] | None = None,
    activation: str = "relu",
    stddev: str | None = None,
) -> str:
    """Return names, shapes, dtypes, sizes and slots of a checkpoint, and what it was taken for."""
    tensors = checkpoint.tensors
    total = sum(tensor.nbytes for tensor in tensors)
    lines = [
        f"{checkpoint.prefix}: format {checkpoint.format}, {len(tensors)} tensors, {_size(total)}",
        "",
    ]
    rows = [("name", "shape", "dtype", "bytes", "slot of")]
    rows += [
        (
            tensor.name,
            _shape(tensor.shape),
            tensor.dtype.name,
            f"{tensor.nbytes:,}" if tensor.nbytes else "-",
            tensor.slot_of or "",
        )
        for tensor in tensors
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, shape, dtype, size, slot in rows:
        line = f"{name:{widths[0]}}  {shape:{widths[1]}}  {dtype:{widths[2]}}  {size:>{widths[3]}}"
        lines.append(f"{line}  {slot}".rstrip())
    lines += ["", *_totals(checkpoint), ""]
    try:
        found = recognise(checkpoint, layers)
    except ConversionError as error:
        return "\n".join([*lines, str(error)])
    return "\n".join([*lines, *_recognised(found, activation, stddev or found.stddev)])


def _totals(checkpoint: Checkpoint) -> Iterator[str]:
    variables = [tensor for tensor in checkpoint.tensors if tensor.is_variable]
    slots = [tensor for tensor in checkpoint.tensors if tensor.slot_of]
    others = len(checkpoint.tensors) - len(variables) - len(slots)
    yield f"variables        {len(variables)}, {_size(sum(t.nbytes for t in variables))}"
    kinds = Counter(tensor.name.rsplit("/", 1)[-1] for tensor in slots)
    named = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    size = _size(sum(t.nbytes for t in slots))
    yield f"optimizer slots  {len(slots)}" + (f", {size}: {named}" if slots else "")
    if others:
        yield f"counts and keys  {others}"


def _recognised(found: Recognised, activation: str, stddev: str) -> Iterator[str]:
    widths = [found.D, *(layer.shape[1] for layer in found.encoder[:-1]), found.M]
    widths += [layer.shape[1] for layer in found.decoder]
    yield f"recognised       a variational autoencoder {'-'.join(map(str, widths))}"
    for part, layers in (("encoder", found.encoder), ("decoder", found.decoder)):
        for number, layer in enumerate(layers, 1):
            last = number == len(layers)
            what = {"encoder": STDDEVS[stddev], "decoder": "logits of a Bernoulli"}[part]
            shape = f"{layer.shape[0]} → {layer.shape[1]}"
            if last and part == "encoder":
                shape = f"{layer.shape[0]} → 2 × {found.M}"
            yield f"  {part} {number}  {_names(layer)}  {shape}  {what if last else activation}"
    yield "assumed          the activations, and how stddev is computed: a checkpoint does not tell"
    yield "                 (--activation, --stddev, --layers say otherwise)"


def _names(layer: Layer) -> str:
    return " + ".join(
        f"{W}, {b}" if b else f"{W} without biases" for W, b in zip(layer.W, layer.b, strict=True)
    )


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "scalar"


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e6:.1f} MB" if nbytes >= 100_000 else f"{nbytes / 1e3:.1f} kB"
