"""Checkpoints that go both ways between this project and the original script under TensorFlow 1.

A checkpoint ``folder/name`` is ``name.index`` and ``name.data-00000-of-00001``, in which the
original's ``tf.train.Saver`` finds the variables and optimizer slots under the names it knows, and
``name.json``, from which a model can be built again.
"""

from __future__ import annotations

import itertools
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.backend.xla import graph_lock
from vae_tf1.checkpoint import files, manifest
from vae_tf1.errors import CheckpointError, reason, warn
from vae_tf1.model.graph import Model
from vae_tf1.model.parts import variables_of
from vae_tf1.model.state import Costs, History, TrainingState, Validated

__all__ = ["SUFFIXES", "Saved", "Writer", "describe", "exists", "read", "restore"]

SUFFIXES = (".index", ".data-00000-of-00001")
_STEP, _KEY, _COSTS = "vae_tf1/global_step", "vae_tf1/noise_key", "vae_tf1/costs"
_BEST = "vae_tf1/best/"  # before the name of a weight: what did best on the validation set
# What TensorFlow reads as a pattern, not as the name of a file
_PATTERN = frozenset("*?[]\\{}")


class Saved(NamedTuple):
    """A checkpoint in memory."""

    prefix: Path
    tensors: dict[str, np.ndarray]  # under their TF1 names
    manifest: dict[str, Any]  # empty if TensorFlow 1 wrote the checkpoint

    @property
    def global_step(self) -> int:
        """The number of training steps of the model; 0 if TensorFlow 1 wrote the checkpoint."""
        return int(self.tensors.get(_STEP, 0))


class _Ops(NamedTuple):
    """The op that saves a model, and what it is fed."""

    save: tf.Operation
    finite: tf.Tensor
    prefix: tf.Tensor
    costs: tf.Tensor
    best: list[tf.Tensor]


class Writer:
    """Writes checkpoints of a model; keeps the op that it has added to the graph.

    Parameters
    ----------
    model
        The model.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._ops: dict[bool, _Ops] = {}

    def write(self, prefix: str | os.PathLike, **more: Any) -> Path:
        """Write a checkpoint; one of that name is replaced only when the new one is whole.

        Parameters
        ----------
        prefix
            Path without the endings; missing folders are made.
        more
            What else to note in the manifest, in JSON's types.

        Raises
        ------
        CheckpointError
            If it cannot be written (a full disk, say), or if the model holds NaN or infinity.
        """
        prefix = Path(prefix)
        if not prefix.name:
            raise CheckpointError(f"{str(prefix)!r} does not name a checkpoint: give folder/name")
        fresh = prefix.with_name(f".{prefix.name}.{os.getpid()}")
        try:
            prefix.parent.mkdir(parents=True, exist_ok=True)
            self._write_tensors(fresh)
            digests = {}
            for suffix in SUFFIXES:
                file = _file(fresh, suffix)
                files.flush_to_disk(file)
                digests[_file(prefix, suffix).name] = files.digest(file)
            facts = {**describe(self._model), **more, "sha256": digests}
            _file(fresh, ".json").write_text(manifest.text(facts), encoding="utf-8")
            files.flush_to_disk(_file(fresh, ".json"))
            for suffix in (*SUFFIXES, ".json"):
                _file(fresh, suffix).replace(_file(prefix, suffix))
            files.flush_to_disk(prefix.parent)
        except (OSError, tf.errors.OpError) as error:
            raise CheckpointError(f"cannot save to {prefix}: {reason(error)}") from None
        finally:
            for file in _files_of(fresh):
                file.unlink(missing_ok=True)
        return prefix

    def _write_tensors(self, prefix: Path) -> None:
        model = self._model
        best = model.state.best or []
        if bool(best) not in self._ops:
            self._ops[bool(best)] = self._build(with_best=bool(best))
        save, finite, file, costs, weights = self._ops[bool(best)]
        flags = model.sess.run(finite)
        if not flags.all():
            where = [where for _, where in _variables(model).values()][int(np.argmin(flags))]
            raise CheckpointError(f"{where} holds NaN or infinity: not saved")
        feed = {file: str(prefix), costs: model.state.costs}
        model.sess.run(save, feed | dict(zip(weights, best, strict=True)))

    def _build(self, with_best: bool) -> _Ops:
        model = self._model
        with graph_lock(model.graph), model.graph.as_default(), tf.name_scope("save"):
            file = tf.compat.v1.placeholder(tf.string, (), name="prefix")
            costs = tf.compat.v1.placeholder(tf.float32, (None,), name="costs")
            tensors = {name: variable for name, (variable, _) in _variables(model).items()}
            finite = [
                tf.reduce_all(tf.math.is_finite(variable)) if variable.dtype.is_floating else True
                for variable in tensors.values()
            ]
            tensors |= {_STEP: model.global_step, _KEY: model.noise_key, _COSTS: costs}
            best = {
                _BEST + name: tf.compat.v1.placeholder(tf.float32, variable.shape, name="best")
                for name, (variable, _) in (_weights(model) if with_best else {}).items()
            }
            tensors |= best
            names = sorted(tensors)
            save = tf.raw_ops.SaveV2(
                prefix=file,
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[tf.convert_to_tensor(tensors[name]) for name in names],
            )
            return _Ops(save, tf.stack(finite), file, costs, list(best.values()))


def exists(prefix: Path) -> bool:
    """Whether there is a checkpoint under this name."""
    return bool(prefix.name) and all(_file(prefix, suffix).is_file() for suffix in SUFFIXES)


def read(prefix: str | os.PathLike) -> Saved:
    """Read a checkpoint of this project's or of TensorFlow 1's, and check that it is whole.

    Raises
    ------
    CheckpointError
        If it is missing or damaged; the message names the file.
    """
    prefix = Path(prefix)
    if not prefix.name:
        raise CheckpointError(f"there is no checkpoint at {prefix}: give folder/name")
    for suffix in SUFFIXES:
        if not _file(prefix, suffix).is_file():
            raise CheckpointError(f"there is no checkpoint at {prefix}: no {_file(prefix, suffix)}")
    facts = manifest.read(_file(prefix, ".json"), {_file(prefix, s).name for s in SUFFIXES})
    try:
        for name, digest in facts.get("sha256", {}).items():
            if files.digest(prefix.with_name(name)) != digest:
                raise CheckpointError(
                    f"{prefix.with_name(name)} is damaged: it does not match the checksum in "
                    f"{_file(prefix, '.json').name}"
                )
        with _plain_name(prefix) as plain:
            tensors = _read_tensors(plain, prefix)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"the checkpoint {prefix} cannot be read: {reason(error)}") from None
    except Exception as error:  # TensorFlow's reader raises many kinds on damaged files
        raise CheckpointError(f"the checkpoint {prefix} is damaged: {reason(error)}") from None
    saved = Saved(prefix, tensors, facts)
    if facts:
        check_agreement(saved)
    return saved


def _read_tensors(plain: str, prefix: Path) -> dict[str, np.ndarray]:
    reader = tf.compat.v1.train.NewCheckpointReader(plain)
    shapes = reader.get_variable_to_shape_map()
    # An optimizer's variables that belong to no weight are numbers, such as beta1_power.
    ours = [n for n in shapes if n.startswith(("Variable", "vae_tf1/")) or not shapes[n]]
    data = _file(prefix, SUFFIXES[1])
    if sum(math.prod(shapes[name]) for name in ours) * 4 > data.stat().st_size:
        raise CheckpointError(f"{data} is damaged: it is too short")
    return {name: np.asarray(reader.get_tensor(name)) for name in ours}


@contextmanager
def _plain_name(prefix: Path) -> Iterator[str]:
    """Yield a name of the checkpoint that TensorFlow does not take for a pattern."""
    if _PATTERN.isdisjoint(str(prefix)):
        yield str(prefix)
        return
    with tempfile.TemporaryDirectory(prefix="vae_tf1-") as folder:
        for suffix in SUFFIXES:
            Path(folder, f"checkpoint{suffix}").symlink_to(_file(prefix, suffix).resolve())
        yield str(Path(folder, "checkpoint"))


def check_agreement(saved: Saved) -> None:
    """Raise a CheckpointError unless the tensors are those that the manifest describes."""
    json_file, facts = _file(saved.prefix, ".json"), saved.manifest
    sizes, found = _weight_shapes(facts), _shapes_in(saved.tensors)
    # With parts of other shapes, it is the model built of them that the weights must fit.
    if sizes != found and not facts.keys() & {"likelihood", "encoder", "decoder", "n_labels"}:
        raise CheckpointError(
            f"{json_file} describes layers of shapes {sizes}, but the weights have {found}"
        )
    step, key, costs = (saved.tensors.get(name) for name in (_STEP, _KEY, _COSTS))
    if not (
        all(t is not None and t.dtype == np.int64 and t.shape == () for t in (step, key))
        and costs is not None
        and (costs.dtype, costs.ndim) == (np.float32, 1)
        and int(saved.tensors[_STEP]) >= 0
    ):
        raise CheckpointError(
            f"{saved.prefix} is damaged: its counts or costs are missing or of another type"
        )
    fit = facts.get("fit")
    if fit is not None and (fit["first_cost"] > len(costs) or fit["first_step"] > step):
        raise CheckpointError(f"{json_file} is damaged: its training began after its last step")


def restore(model: Model, saved: Saved) -> TrainingState:
    """Put a checkpoint into a model's variables, whole or not at all.

    Returns
    -------
    TrainingState
        The state of the training, for the model's owner to set: of a checkpoint that TensorFlow 1
        wrote, the model's present one.

    Raises
    ------
    CheckpointError
        If it is of another shape; the message says which layer differs. The model is as it was.
    """
    initializers, values = [], []
    optimizer = _optimizer_variables(model)
    fresh = {} if _has_the_slots_of(model, saved) else optimizer  # the optimizer starts afresh
    for name, (variable, where) in (_weights(model) | optimizer).items():
        if name in fresh:
            continue
        value = saved.tensors.get(name)
        if value is None:
            raise CheckpointError(f"{saved.prefix} has no {where} ({name}), which the model has")
        shape = tuple(variable.shape.as_list())
        if value.shape != shape:
            raise CheckpointError(
                f"{where} has shape {shape} in the model, but {value.shape} in "
                f"{saved.prefix} ({name})"
            )
        if value.dtype != variable.dtype.as_numpy_dtype:
            raise CheckpointError(
                f"{name} in {saved.prefix} is {value.dtype}, expected {variable.dtype.name}"
            )
        initializers.append(variable.initializer)
        values.append(value)
    best = _best(model, saved)
    if saved.manifest:
        initializers += [model.global_step.initializer, model.noise_key.initializer]
        values += [saved.tensors[_STEP], saved.tensors[_KEY]]
    model.sess.run(
        [initializers, [variable.initializer for variable, _ in fresh.values()]],
        {op.inputs[1]: value for op, value in zip(initializers, values, strict=True)},
    )
    if not saved.manifest:
        return model.state
    return TrainingState(
        seed=saved.manifest["seed"],
        seed_given=model.state.seed_given,
        epochs_done=saved.manifest["epochs_done"],
        costs=Costs(saved.tensors[_COSTS].tolist()),
        binarization=saved.manifest.get("binarization"),
        history=_history(saved.manifest.get("validation")),
        best=best,
    )


def describe(model: Model) -> dict[str, Any]:
    """Return what is needed to build the model again; a later option only if it is in use."""
    described = {
        "D": model.D,
        "hidden_layer_sizes": model.hidden_layer_sizes,
        "seed": model.seed,
        "prior": model.describe_prior(),
        "kl": model.kl,
        "epochs_done": model.state.epochs_done,
        **model.describe_parts(),
    }
    options = {
        "bound": model.objective.describe(),
        "optimizer": model.updates.describe(),
        "binarization": model.state.binarization,
        "validation": _described(model.state.history),
    }
    return described | {key: value for key, value in options.items() if value is not None}


def _described(history: History) -> dict[str, Any] | None:
    """Return a history in JSON's types, which have no NaN."""
    if not history:
        return None
    rows = [
        [None if isinstance(value, float) and not math.isfinite(value) else value for value in each]
        for each in history
    ]
    return {"data": history.data, "history": rows}


def _history(described: Mapping[str, Any] | None) -> History:
    if described is None:
        return History()
    rows: list[list[Any]] = described["history"]
    read = [[math.nan if value is None else value for value in row] for row in rows]
    return History([Validated._make(row) for row in read], described["data"])


def _best(model: Model, saved: Saved) -> list[np.ndarray] | None:
    """Return the best weights that a training has kept, None if it has kept none."""
    if not any(name.startswith(_BEST) for name in saved.tensors):
        return None
    best = []
    for name, (variable, where) in _weights(model).items():
        value = saved.tensors.get(_BEST + name)
        if value is None or (value.shape, value.dtype) != (
            tuple(variable.shape.as_list()),
            np.float32,
        ):
            raise CheckpointError(
                f"{saved.prefix} is damaged: the best {where} is not of its shape"
            )
        best.append(value)
    return best


def _variables(model: Model) -> dict[str, tuple[tf.Variable, str]]:
    """Return weights and optimizer's variables under TF1's names, and what to call them."""
    return _weights(model) | _optimizer_variables(model)


def _weights(model: Model) -> dict[str, tuple[tf.Variable, str]]:
    """Return the variables under their names in a checkpoint: the original's for the layers."""
    found = [
        (variable, f"{_kind(layer, variable, j)} of {part} layer {i}")
        for part, layers in (("encoder", model.encoder_layers), ("decoder", model.decoder_layers))
        for i, layer in enumerate(layers, 1)
        for j, variable in enumerate(variables_of(layer), 1)
    ]
    named = {f"Variable_{i}" if i else "Variable": each for i, each in enumerate(found)}
    others = dict(model.part_variables)
    known = {id(v) for v, _ in found} | {id(v) for each in others.values() for v in each}
    # what a subclass has added to `variables`
    others["model"] = [v for v in model.variables if id(v) not in known]
    for part, variables in others.items():
        for j, variable in enumerate(variables, 1):
            named[f"vae_tf1/{part}/{j}"] = variable, f"variable {j} of the {part}"
    return named


def _kind(layer: Any, variable: tf.Variable, number: int) -> str:
    """Return what to call a variable of a layer: W or b if it is that."""
    return next((k for k in "Wb" if getattr(layer, k, None) is variable), f"variable {number}")


def _optimizer_variables(model: Model) -> dict[str, tuple[tf.Variable, str]]:
    variables = {
        name + slot.name: (slot.variable, f"{slot.what} of {where}")
        for name, (variable, where) in _weights(model).items()
        for slot in model.updates.slots(variable)
    }
    for other in model.updates.without_weight(model.variables):
        variables[other.name] = other.variable, other.what
    return variables


def _has_the_slots_of(model: Model, saved: Saved) -> bool:
    """Whether a checkpoint has the slots of the model's optimizer; those of another are a warning.

    Too few of them are the right ones of a damaged checkpoint, unless its manifest says otherwise.
    """
    slots = [name for name in saved.tensors if name.startswith("Variable") and "/" in name]
    found = {name.rpartition("/")[2] for name in slots}
    expected = {slot.name[1:] for slot in model.updates.slots(model.variables[0])}
    if not found:  # only weights were saved, or the optimizer has no slots
        others = model.updates.without_weight(model.variables)
        return not expected and all(other.name in saved.tensors for other in others)
    same = not saved.manifest or saved.manifest.get("optimizer") == model.updates.describe()
    if found == expected or (found < expected and same):
        return True
    warn(
        f"{saved.prefix} has the slots {', '.join(sorted(found))}, which are not those of "
        f"{type(model.optimizer).__name__}: the optimizer starts afresh"
    )
    return False


def _weight_shapes(facts: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the shape of each W of the model that a manifest describes."""
    *hidden, M = facts["hidden_layer_sizes"]
    encoder = [facts["D"], *hidden, 2 * M]
    decoder = [M, *reversed(hidden), facts["D"]]
    return [*itertools.pairwise(encoder), *itertools.pairwise(decoder)]


def _shapes_in(tensors: Mapping[str, np.ndarray]) -> list[tuple[int, ...]]:
    """Return the shape of each W in a checkpoint."""
    names = ("Variable", *(f"Variable_{i}" for i in range(2, 2 * len(tensors), 2)))
    return [tensors[name].shape for name in names if name in tensors]


def _file(prefix: Path, suffix: str) -> Path:
    return prefix.with_name(prefix.name + suffix)


def _files_of(prefix: Path) -> list[Path]:
    """Return the files that begin with a prefix, which may hold characters of a pattern."""
    try:
        return [p for p in prefix.parent.iterdir() if p.name.startswith(f"{prefix.name}.")]
    except OSError:
        return []
