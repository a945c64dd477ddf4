"""``page.html``: one file that a browser opens, with the weights in it, to play with the model."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vae_tf1.convert.activations import Activation
from vae_tf1.convert.compare import Inputs, Outputs, by_network, difference
from vae_tf1.convert.formats.base import NetworkFormat, Source
from vae_tf1.convert.network import Dense, Network
from vae_tf1.errors import ConversionError

__all__ = ["FORMAT"]

TOLERANCE = 1e-3  # of float16 weights; beyond it the page holds float32
_PARTS = Path(__file__).parents[1] / "page"
_CODES = 1000  # that the plane shows
_SLIDERS = 10
_EXAMPLES = 10


def _write(source: Source, folder: Path) -> None:
    network = source.network()
    if not (network.encoder and network.decoder):
        raise ConversionError("; ".join(network.notes))
    height, width = _shape(source.shape, network.D)
    dtype = _dtype(network, source.inputs)
    X, labels = source.images, source.labels
    images = np.zeros((0, network.D)) if X is None else np.asarray(X[:_CODES], np.float32)
    codes = network.encode(images)[0].astype(np.float16).astype(np.float64)
    plane = _plane(network, codes)
    Z = source.inputs.Z[:3].astype(np.float64)
    model = {
        "D": network.D,
        "M": network.M,
        "height": height,
        "width": width,
        "centred": (height, width) == (28, 28),
        "binary": bool(len(images)) and bool(np.isin(images, (0, 1)).all()),
        "dtype": dtype,
        "encoder": _describe(network.encoder),
        "decoder": _describe(network.decoder),
        "stddev": network.stddev,
        "prior": network.prior,
        "plane": plane,
        "labels": None if labels is None else [int(label) for label in labels[: len(codes)]],
        "units": _units(codes, network),
        "examples": _examples(images, labels),
        "checks": [
            {"code": code.tolist(), "probabilities": probabilities.round(6).tolist()}
            for code, probabilities in zip(Z, network.decode(Z), strict=True)
        ],
    }
    weights = [value for layer in (*network.encoder, *network.decoder) for value in layer[:2]]
    parts = {
        "title": html.escape(source.title),
        "css": _part("page.css"),
        "js": _part("page.js"),
        "model": _json(model),
        "weights": _base64(np.concatenate([value.ravel() for value in weights]), dtype),
        "codes": _base64(codes.ravel(), "float16"),
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _part("page.html"))
    (folder / "page.html").write_text(f"{page}\n{_seal(page)}\n", encoding="utf-8")


def _run(source: Source, folder: Path) -> Outputs:
    """Return what the numbers in the page give; a page compares its own pixels when it opens."""
    page, _, seal = (folder / "page.html").read_text(encoding="utf-8").strip().rpartition("\n")
    if seal != _seal(page):
        raise ConversionError("page.html is damaged, or was edited")
    model = json.loads(_script(page, "model"))
    little = np.dtype(model["dtype"]).newbyteorder("<")
    weights = np.frombuffer(base64.b64decode(_script(page, "weights")), little)
    start = 0

    def take(*shape: int) -> np.ndarray:
        nonlocal start
        values = weights[start : start + math.prod(shape)].reshape(shape)
        start += values.size
        return values.astype(np.float64)

    encoder, decoder = (
        tuple(
            Dense(take(rows, columns), take(columns), Activation(name, alpha))
            for rows, columns, name, alpha in model[part]
        )
        for part in ("encoder", "decoder")
    )
    return by_network(Network(encoder, decoder, model["stddev"]), source.inputs)


def _dtype(network: Network, inputs: Inputs) -> str:
    """Return "float16" if weights of it change no output by more than `TOLERANCE`."""

    def half(value: np.ndarray) -> np.ndarray:
        return value.astype(np.float16).astype(np.float64)

    def halved(layers: Sequence[Dense]) -> tuple[Dense, ...]:
        return tuple(Dense(half(layer.W), half(layer.b), layer.activation) for layer in layers)

    try:
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = network._replace(
                encoder=halved(network.encoder), decoder=halved(network.decoder)
            )
            error = difference(by_network(rounded, inputs), by_network(network, inputs))
    except ConversionError:  # a weight beyond float16's range
        return "float32"
    return "float16" if error < TOLERANCE else "float32"


def _plane(network: Network, codes: np.ndarray) -> dict[str, Any]:
    """Return the plane that can be dragged over: two coordinates, or two principal components."""
    M = network.M
    prior_mean, prior_stddev = network.prior or (0.0, 1.0)
    origin = np.zeros(M)
    axes = np.zeros((2, M))
    axes[np.arange(min(M, 2)), np.arange(min(M, 2))] = 1
    names = [f"z{i + 1}" for i in range(min(M, 2))]
    caption = f"{' across, '.join(names)}{' up' if M > 1 else ''}"
    if M > 2 and len(codes) > 2:
        origin = codes.mean(0)
        variances, components = np.linalg.eigh(np.cov(codes.T))
        axes = components[:, :-3:-1].T
        axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
        share = variances[:-3:-1].sum() / max(variances.sum(), 1e-30)
        names = ["component 1", "component 2"]
        caption = (
            f"The two principal components of {len(codes):,} codes, which hold {share:.0%} of "
            "their variance; dragging puts the code on their plane."
        )
    elif M > 2:
        caption = "z1 across, z2 up; dragging keeps the other units of the code at 0."
    points = (codes - origin) @ axes.T
    low, high = prior_mean - 3 * prior_stddev, prior_mean + 3 * prior_stddev
    corners = np.array([[low, low], [high, high]])
    if len(points):  # a square that holds nearly all of them, and the middle
        corners = np.concatenate([np.quantile(points, (0.005, 0.995), axis=0), np.zeros((1, 2))])
    centre = (corners.max(0) + corners.min(0)) / 2
    reach = max(float(np.ptp(corners, axis=0).max()) / 2 * 1.12, 1e-3)
    left, bottom = centre - reach
    right, top = centre + reach
    if M == 1:  # a line: the digits are spread over its height
        points[:, 1] = np.linspace(bottom, top, len(points) + 2)[1:-1]
    return {
        "origin": origin.tolist(),
        "axes": axes.tolist(),
        "names": names,
        "caption": caption,
        "range": [float(x) for x in (left, right, bottom, top)],
        "points": points.round(3).tolist(),
    }


def _units(codes: np.ndarray, network: Network) -> list[dict[str, Any]]:
    """Return the most active units: those whose means vary most (Burda et al. 2015)."""
    mean, stddev = network.prior or (0.0, 1.0)
    activity = codes.var(0) if len(codes) else np.abs(network.decoder[0].W).sum(1)
    units = []
    order = np.argsort(-activity, kind="stable")[:_SLIDERS]
    for index in order if network.M > _SLIDERS else range(network.M):
        edge = np.abs(codes[:, index] - mean).max() if len(codes) else 0.0
        reach = math.ceil(max(3 * stddev, edge) * 10) / 10
        units.append({"index": int(index), "low": mean - reach, "high": mean + reach})
    return units


def _examples(images: np.ndarray, labels: np.ndarray | None) -> list[dict[str, Any]]:
    """Return an image of each digit, or the first few."""
    rows: Sequence[int] = range(min(len(images), _EXAMPLES))
    if labels is not None and len(images):
        digits, first = np.unique(labels[: len(images)], return_index=True)
        rows = first[np.argsort(digits)][:_EXAMPLES].tolist()
    return [
        {
            "label": None if labels is None else int(labels[row]),
            "image": _base64(images[row], "float16"),
        }
        for row in rows
    ]


def _describe(layers: Sequence[Dense]) -> list[tuple]:
    return [(*layer.W.shape, layer.activation.name, layer.activation.alpha) for layer in layers]


def _shape(given: tuple[int, int] | None, D: int) -> tuple[int, int]:
    if given is None:
        height = next(n for n in range(math.isqrt(D), 0, -1) if D % n == 0)
        return height, D // height
    if len(given) != 2 or math.prod(given) != D:
        raise ConversionError(f"the shape {given} does not have the {D} values of an image")
    return int(given[0]), int(given[1])


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8").rstrip("\n")


def _json(value: object) -> str:
    # "</script>" within a string would end the element.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _base64(values: np.ndarray, dtype: str) -> str:
    little = np.dtype(dtype).newbyteorder("<")
    return base64.b64encode(np.ascontiguousarray(values, little).tobytes()).decode("ascii")


def _seal(page: str) -> str:
    return f"<!-- sha256 of the lines above: {hashlib.sha256(page.encode()).hexdigest()} -->"


def _script(page: str, name: str) -> str:
    match = re.search(rf'<script type="[^"]+" id="{name}">([^<]*)</script>', page)
    if match is None:
        raise ConversionError(f"page.html has no {name} in it")
    return match[1]


FORMAT = NetworkFormat("page", (), ("page.html",), _write, tolerance=TOLERANCE, run=_run)
