"""`tf.contrib.training` and `slim.learning`: hyperparameters, train ops, slim's training loop."""

from __future__ import annotations

import ast
import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.machinery.lazy import Alias

__all__ = ["HParams", "create_train_op", "names", "title", "train"]

title = (
    "`tf.contrib.training` and `slim.learning`: hyperparameters, train ops, slim's training loop"
)

_log = logging.getLogger(__name__)
_USE_GLOBAL_STEP = 0


class HParams:
    """Named hyperparameters, as attributes: `HParams(learning_rate=0.1).learning_rate`."""

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any):
        if hparam_def is not None:
            raise ValueError("HParams from a protocol buffer are not offered; give keywords.")
        self._names: list[str] = []
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Add one.

        Raises
        ------
        ValueError
            If the name is taken, or the value is an empty list.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"The hyperparameter name {name!r} is taken.")
        if isinstance(value, (list, tuple)) and not value:
            raise ValueError(f"The hyperparameter {name!r} must not be an empty list.")
        self._names.append(name)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Change one that is there.

        Raises
        ------
        KeyError
            If it is not there.
        ValueError
            If a list is given for a single value or the other way round.
        """
        if name not in self._names:
            raise KeyError(f"There is no hyperparameter {name!r}; there are {self._names}.")
        if isinstance(value, list) != isinstance(getattr(self, name), (list, tuple)):
            raise ValueError(f"Hyperparameter {name!r} is a list or is none; got {value!r}.")
        setattr(self, name, value)

    def del_hparam(self, name: str) -> None:
        """Remove one."""
        if name in self._names:
            self._names.remove(name)
            delattr(self, name)

    def parse(self, values: str) -> HParams:
        """Set from a text such as `learning_rate=0.01,layers=[20,10],name=vae`.

        Raises
        ------
        ValueError
            If the text is not of that form, or a value does not fit the parameter's type.
        """
        rest = values.strip()
        while rest:
            match = re.match(r"(\w+)\s*=\s*(\[[^\]]*\]|[^,\[]*)\s*(?:,|$)\s*", rest)
            if match is None:
                raise ValueError(f"Hyperparameters are given as name=value,… but not {values!r}.")
            name, text = match.groups()
            if name not in self._names:
                raise ValueError(f"There is no hyperparameter {name!r}; there are {self._names}.")
            self.set_hparam(name, _parsed(text, getattr(self, name), name))
            rest = rest[match.end() :]
        return self

    def override_from_dict(self, values_dict: dict[str, Any]) -> HParams:
        """Set those named in a dict."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    set_from_map = override_from_dict

    def parse_json(self, values_json: str) -> HParams:
        """Set those named in a JSON object."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, **kwargs: Any) -> str:
        """Return all of them as a JSON object."""
        return json.dumps(self.values(), **kwargs)

    def values(self) -> dict[str, Any]:
        """Return all of them as a dict."""
        return {name: getattr(self, name) for name in self._names}

    def get(self, key: str, default: Any = None) -> Any:
        """Return one, or a default."""
        return getattr(self, key) if key in self._names else default

    def __contains__(self, key: str) -> bool:
        return key in self._names

    def __str__(self) -> str:
        return str(sorted(self.values().items()))

    def __repr__(self) -> str:
        return f"HParams({', '.join(f'{k}={v!r}' for k, v in self.values().items())})"


def _parsed(text: str, present: Any, name: str) -> Any:
    """Return the value that a text gives to a parameter, in the type of the present value."""
    if isinstance(present, (list, tuple)):
        if not text.startswith("["):
            raise ValueError(
                f"Hyperparameter {name!r} takes a list such as [1,2], but got {text!r}."
            )
        items = [item.strip() for item in text.strip("[]").split(",") if item.strip()]
        return [_parsed(item, present[0], name) for item in items]
    if isinstance(present, str):
        return text
    if isinstance(present, bool):
        words = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() in words:
            return words[text.lower()]
    elif isinstance(present, (int, float)):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = None
        if isinstance(present, float) and isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    raise ValueError(
        f"Hyperparameter {name!r} is of type {type(present).__name__}, but got {text!r}."
    )


def create_train_op(
    total_loss: tf.Tensor, optimizer: tf.train.Optimizer, global_step: Any = _USE_GLOBAL_STEP,
    update_ops: Sequence[Any] | None = None,
    variables_to_train: Sequence[tf.Variable] | None = None, clip_gradient_norm: float = 0,
    summarize_gradients: bool = False, gate_gradients: int = tf.train.Optimizer.GATE_OP,
    aggregation_method: Any = None, colocate_gradients_with_ops: bool = False,
    gradient_multipliers: dict | None = None, check_numerics: bool = True,
    transform_grads_fn: Callable | None = None,
) -> tf.Tensor:  # fmt: skip
    """Return the loss that waits for the update ops, then for one step of the optimizer.

    Parameters
    ----------
    global_step
        The counter to advance; by default the graph's own, created if need be; None for none.
    update_ops
        What runs first; by default the graph's `UPDATE_OPS` (moving averages).
    clip_gradient_norm
        The norm that each gradient is clipped to, where positive.
    gradient_multipliers
        Factors for the gradients of some variables, by variable or by its name.

    Raises
    ------
    ValueError
        If there is nothing to train.
    """
    if isinstance(global_step, int) and global_step == _USE_GLOBAL_STEP:
        global_step = tf.train.get_or_create_global_step()
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if update_ops is None else update_ops
    with tf.control_dependencies(list(updates)):
        total_loss = tf.identity(total_loss)
    variables = tf.trainable_variables() if variables_to_train is None else variables_to_train
    if not variables:
        raise ValueError("There are no trainable variables in the graph.")
    pairs = optimizer.compute_gradients(
        total_loss,
        variables,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
    )
    if transform_grads_fn is not None:
        pairs = transform_grads_fn(pairs)
    for key, factor in (gradient_multipliers or {}).items():
        pairs = [
            (g * factor, v) if g is not None and (v is key or v.op.name == key) else (g, v)
            for g, v in pairs
        ]
    if clip_gradient_norm > 0:
        pairs = [(g if g is None else tf.clip_by_norm(g, clip_gradient_norm), v) for g, v in pairs]
    if summarize_gradients:
        for gradient, variable in pairs:
            if gradient is not None:
                tf.summary.histogram(f"{variable.op.name}/gradient", gradient)
    with tf.control_dependencies([total_loss]):  # the loss is that before the step
        step = optimizer.apply_gradients(pairs, global_step=global_step)
    with tf.name_scope("train_op"):
        if check_numerics:
            total_loss = tf.check_numerics(total_loss, "LossTensor is inf or nan")
        with tf.control_dependencies([step]):
            train_op = tf.identity(total_loss)
    tf.add_to_collection(tf.GraphKeys.TRAIN_OP, train_op)
    return train_op


def train(
    train_op: tf.Tensor, logdir: str | None, train_step_fn: Callable | None = None,
    train_step_kwargs: dict | None = None, log_every_n_steps: int = 1, graph: Any = None,
    master: str = "", is_chief: bool = True, global_step: Any = None,
    number_of_steps: int | None = None, init_op: Any = 0, init_feed_dict: dict | None = None,
    local_init_op: Any = 0, init_fn: Callable | None = None, ready_op: Any = 0,
    summary_op: Any = 0, save_summaries_secs: float = 600, summary_writer: Any = 0,
    startup_delay_steps: int = 0, saver: Any = None, save_interval_secs: float = 600,
    sync_optimizer: Any = None, session_config: Any = None, **kwargs: Any,
) -> float:  # fmt: skip
    """Run `train_op` until `number_of_steps`, saving to and resuming from `logdir`.

    Returns
    -------
    float
        The last value of `train_op`, the loss.

    Raises
    ------
    ValueError
        If several workers are asked for.
    """
    if sync_optimizer is not None or not is_chief or kwargs:
        asked = "several workers" if not kwargs else ", ".join(kwargs)
        raise ValueError(f"slim.learning.train with {asked} is not offered.")
    graph = graph or tf.get_default_graph()
    default = tf.train.Supervisor.USE_DEFAULT
    with graph.as_default():
        if global_step is None:
            global_step = tf.train.get_or_create_global_step()
        chosen = {
            name: default if value == 0 and isinstance(value, int) else value
            for name, value in (
                ("init_op", init_op), ("local_init_op", local_init_op), ("ready_op", ready_op),
                ("summary_op", summary_op), ("summary_writer", summary_writer),
            )
        }  # fmt: skip
        supervisor = tf.train.Supervisor(
            graph=graph,
            logdir=logdir,
            global_step=global_step,
            init_feed_dict=init_feed_dict,
            init_fn=init_fn,
            saver=saver or tf.train.Saver(),
            save_summaries_secs=save_summaries_secs,
            save_model_secs=save_interval_secs,
            **chosen,
        )
        loss = None
        with supervisor.managed_session(master, config=session_config) as session:
            while not supervisor.should_stop():
                step = int(session.run(global_step))
                if number_of_steps is not None and step >= number_of_steps:
                    break
                started = time.time()
                if train_step_fn is not None:
                    loss, stop = train_step_fn(
                        session, train_op, global_step, train_step_kwargs or {}
                    )
                else:
                    loss, stop = session.run(train_op), False
                if log_every_n_steps and (step + 1) % log_every_n_steps == 0:
                    took = time.time() - started
                    _log.info("global step %d: loss = %.4f (%.3f sec/step)", step + 1, loss, took)
                if stop:
                    break
            if logdir:
                supervisor.stop(close_summary_writer=False)  # its saving thread may be at work
                supervisor.saver.save(session, supervisor.save_path, global_step=global_step)
        return loss


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    return {
        "contrib.training.HParams": HParams,
        "contrib.training.create_train_op": create_train_op,
        "contrib.slim.learning.create_train_op": create_train_op,
        "contrib.slim.learning.train": train,
        "contrib.data.Dataset": tf.data.Dataset,
        "contrib.data.Iterator": tf.data.Iterator,
        "contrib.data.TFRecordDataset": tf.data.TFRecordDataset,
        "contrib.data.TextLineDataset": tf.data.TextLineDataset,
        "contrib.data.map_and_batch": tf.data.experimental.map_and_batch,
        "contrib.data.shuffle_and_repeat": tf.data.experimental.shuffle_and_repeat,
        "contrib.util.constant_value": tf.get_static_value,
        "contrib.util.make_tensor_proto": tf.make_tensor_proto,
        "contrib.util.make_ndarray": tf.make_ndarray,
        "contrib.slim.python.slim": Alias("contrib.slim"),
    }
