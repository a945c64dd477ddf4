"""Checkpoints that go both ways between this project and the original script under TensorFlow 1.

``save("folder/name")`` writes ``name.index`` and ``name.data-00000-of-00001``, in which the
original's ``tf.train.Saver`` finds the variables and RMSProp slots under the names it knows, and
``name.json``, from which a model can be rebuilt.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.errors import CheckpointError
from vae_tf1.model.rmsprop import MEAN_SQUARE, MOMENTUM

if TYPE_CHECKING:
    from vae_tf1.autoencoder import VariationalAutoencoder

__all__ = [
    "STEP",
    "Saved",
    "describe",
    "flush_to_disk",
    "read",
    "reason",
    "restore",
    "write",
]

FORMAT = 1
_SUFFIXES = (".index", ".data-00000-of-00001")
_SLOTS = {"/RMSProp": MEAN_SQUARE, "/RMSProp_1": MOMENTUM}
STEP, _KEY, _COSTS = "vae_tf1/global_step", "vae_tf1/noise_key", "vae_tf1/costs"


class Saved(NamedTuple):
    """A checkpoint in memory."""

    prefix: Path
    tensors: dict[str, np.ndarray]  # under their TF1 names
    manifest: dict[str, Any]  # empty where TensorFlow 1 wrote the checkpoint


def write(vae: VariationalAutoencoder, prefix: str | os.PathLike, **more: Any) -> Path:
    """Write a checkpoint; an earlier one of that name is replaced only when this one is whole.

    Parameters
    ----------
    vae
        The model.
    prefix
        Path without the endings; missing folders are made.
    more
        What else to note in the manifest, in JSON's types.

    Raises
    ------
    CheckpointError
        When it cannot be written, because the disk is full, say.
    """
    prefix = Path(prefix)
    if not prefix.name:
        raise CheckpointError(f"{str(prefix)!r} does not name a checkpoint: give folder/name")
    fresh = prefix.with_name(f".{prefix.name}.{os.getpid()}")
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        _write_tensors(vae, fresh)
        digests = {}
        for suffix in _SUFFIXES:
            file = _file(fresh, suffix)
            flush_to_disk(file)
            digests[_file(prefix, suffix).name] = _digest(file)
        manifest = {"format": FORMAT, **describe(vae), **more, "sha256": digests}
        _file(fresh, ".json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        flush_to_disk(_file(fresh, ".json"))
        for suffix in (*_SUFFIXES, ".json"):
            _file(fresh, suffix).replace(_file(prefix, suffix))
        flush_to_disk(prefix.parent)
    except (OSError, tf.errors.OpError) as error:
        raise CheckpointError(f"cannot save to {prefix}: {reason(error)}") from None
    finally:
        for file in prefix.parent.glob(f"{fresh.name}.*"):
            file.unlink(missing_ok=True)
    return prefix


def read(prefix: str | os.PathLike) -> Saved:
    """Read a checkpoint of this project's or of TensorFlow 1's, and check that it is whole.

    Raises
    ------
    CheckpointError
        When it is missing or damaged; the message names the file.
    """
    prefix = Path(prefix)
    if not prefix.name:
        raise CheckpointError(f"there is no checkpoint at {prefix}: give folder/name")
    for suffix in _SUFFIXES:
        if not _file(prefix, suffix).is_file():
            raise CheckpointError(f"there is no checkpoint at {prefix}: no {_file(prefix, suffix)}")
    manifest = _read_manifest(prefix)
    for name, digest in manifest.get("sha256", {}).items():
        if _digest(prefix.with_name(name)) != digest:
            raise CheckpointError(
                f"{prefix.with_name(name)} is damaged: it does not match the checksum in "
                f"{_file(prefix, '.json').name}"
            )
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = reader.get_variable_to_shape_map()
        wanted = [n for n in shapes if n.startswith("Variable") or n.startswith("vae_tf1/")]
        size = _file(prefix, _SUFFIXES[1]).stat().st_size
        if sum(math.prod(shapes[name]) for name in wanted) * 4 > size:
            raise CheckpointError(f"{_file(prefix, _SUFFIXES[1])} is damaged: it is too short")
        tensors = {name: reader.get_tensor(name) for name in wanted}
    except CheckpointError:
        raise
    except (RuntimeError, ValueError, KeyError, tf.errors.OpError) as error:
        raise CheckpointError(f"the checkpoint {prefix} is damaged: {reason(error)}") from None
    if manifest and _weight_shapes(manifest) != _shapes_in(tensors):
        raise CheckpointError(f"{_file(prefix, '.json')} tells of layers that the weights are not")
    return Saved(prefix, tensors, manifest)


def restore(vae: VariationalAutoencoder, saved: Saved) -> None:
    """Put a checkpoint into a model, whole or not at all.

    Raises
    ------
    CheckpointError
        When it is of another shape; the message says which layer differs. The model is as it was.
    """
    initializers, values = [], []
    for name, (variable, where) in _variables(vae).items():
        value = saved.tensors.get(name)
        if value is None and not _has_slots(saved) and "/RMSProp" in name:
            continue  # only weights were saved: the optimizer starts afresh
        if value is None:
            raise CheckpointError(f"{saved.prefix} has no {where} ({name}), which the model has")
        if value.shape != tuple(variable.shape):
            raise CheckpointError(
                f"{where} has shape {tuple(variable.shape)} in the model, but {value.shape} in "
                f"{saved.prefix} ({name})"
            )
        if value.dtype != np.float32:
            raise CheckpointError(f"{name} in {saved.prefix} is {value.dtype}, not float32")
        initializers.append(variable.initializer)
        values.append(value)
    if STEP in saved.tensors:
        initializers += [vae.global_step.initializer, vae.noise_key.initializer]
        values += [saved.tensors[STEP], saved.tensors[_KEY]]

    fresh = [] if _has_slots(saved) else [v for n, (v, _) in _variables(vae).items() if "/" in n]
    vae.sess.run(
        [initializers, [slot.initializer for slot in fresh]],
        {op.inputs[1]: value for op, value in zip(initializers, values, strict=True)},
    )
    if saved.manifest:
        vae.seed = saved.manifest["seed"]
        vae.epochs_done = saved.manifest["epochs_done"]
        vae.costs = saved.tensors[_COSTS].tolist()


def _variables(vae: VariationalAutoencoder) -> dict[str, tuple[tf.Variable, str]]:
    """Return variables and slots under the original's names, and what to call them."""
    layers = [
        (layer, f"{part} layer {i}")
        for part, layers in (("encoder", vae.encoder_layers), ("decoder", vae.decoder_layers))
        for i, layer in enumerate(layers, 1)
    ]
    named = [
        (getattr(layer, kind), f"{kind} of {where}") for layer, where in layers for kind in "Wb"
    ]
    variables = {}
    for i, (variable, where) in enumerate(named):
        name = f"Variable_{i}" if i else "Variable"
        variables[name] = variable, where
        for suffix, slot in _SLOTS.items():
            variables[name + suffix] = vae.optimizer.get_slot(variable, slot), f"{slot} of {where}"
    return variables


def _has_slots(saved: Saved) -> bool:
    return any("/RMSProp" in name for name in saved.tensors)


def _write_tensors(vae: VariationalAutoencoder, prefix: Path) -> None:
    if vae.saver is None:
        with vae.graph.as_default(), tf.name_scope("save"):
            file = tf.compat.v1.placeholder(tf.string, (), name="prefix")
            costs = tf.compat.v1.placeholder(tf.float32, (None,), name="costs")
            tensors = {name: variable for name, (variable, _) in _variables(vae).items()}
            tensors |= {STEP: vae.global_step, _KEY: vae.noise_key, _COSTS: costs}
            names = sorted(tensors)
            op = tf.raw_ops.SaveV2(
                prefix=file,
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[tf.convert_to_tensor(tensors[name]) for name in names],
            )
            vae.saver = op, file, costs
    op, file, costs = vae.saver
    vae.sess.run(op, {file: str(prefix), costs: vae.costs})


def describe(vae: VariationalAutoencoder) -> dict[str, Any]:
    """Return what is needed to build the model again."""
    prior = vae.prior and {"mean": vae.prior.prior_mean, "variance": vae.prior.prior_variance}
    return {
        "D": vae.D,
        "hidden_layer_sizes": vae.hidden_layer_sizes,
        "seed": vae.seed,
        "prior": prior,
        "kl": vae.kl,
        "epochs_done": vae.epochs_done,
    }


def _read_manifest(prefix: Path) -> dict[str, Any]:
    file = _file(prefix, ".json")
    if not file.is_file():
        return {}
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        version = manifest["format"]
        if not isinstance(version, int) or version < 1:
            raise ValueError(f"format {version!r}")
        if version <= FORMAT:
            _check_manifest(prefix, manifest)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{file} is damaged: {reason(error)}") from None
    if version > FORMAT:
        raise CheckpointError(f"{file} has format {version}; this version reads up to {FORMAT}")
    return manifest


def _check_manifest(prefix: Path, manifest: Mapping[str, Any]) -> None:
    """Raise an ordinary error where the manifest is not one that `write` made."""
    sizes = [manifest["D"], *manifest["hidden_layer_sizes"]]
    counts = [manifest["seed"], manifest["epochs_done"]]
    if not all(type(n) is int and n >= 0 for n in sizes + counts) or len(sizes) < 2 or 0 in sizes:
        raise ValueError("sizes, seed and epochs_done must be counts")
    if set(manifest["sha256"]) != {_file(prefix, suffix).name for suffix in _SUFFIXES}:
        raise ValueError("it does not list the files of this checkpoint")


def _weight_shapes(manifest: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the shape of each W of the model that a manifest describes."""
    *hidden, M = manifest["hidden_layer_sizes"]
    encoder = [manifest["D"], *hidden, 2 * M]
    decoder = [M, *reversed(hidden), manifest["D"]]
    return [*itertools.pairwise(encoder), *itertools.pairwise(decoder)]


def _shapes_in(tensors: Mapping[str, np.ndarray]) -> list[tuple[int, ...]]:
    """Return the shape of each W in a checkpoint."""
    names = ("Variable", *(f"Variable_{i}" for i in range(2, 2 * len(tensors), 2)))
    return [tensors[name].shape for name in names if name in tensors]


def _file(prefix: Path, suffix: str) -> Path:
    return prefix.with_name(prefix.name + suffix)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def flush_to_disk(path: Path) -> None:
    """Wait until a file, or a folder's entries, would survive a power cut."""
    if os.name == "nt" and path.is_dir():
        return  # Windows does not open folders
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reason(error: Exception) -> str:
    """Return the gist of an error in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    return text.splitlines()[0]
