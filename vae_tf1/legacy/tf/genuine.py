"""TensorFlow 1's own code where it lives now: tf-keras has `tf.layers`, tf-slim much of contrib."""

from __future__ import annotations

from vae_tf1.legacy.machinery.lazy import Moved

__all__ = ["names", "title"]

title = "TensorFlow 1's own code, from tf-keras and tf-slim: layers, slim, losses, metrics, cells"

_LAYERS = "tf_keras.src.legacy_tf_layers"
_CELLS = "tf_keras.api._v1.keras.__internal__.legacy.rnn_cell"

# Old module -> the module that holds its code now. Several stand side by side.
_MODULES = {
    "layers": "tf_keras.api._v1.keras.__internal__.legacy.layers",
    "nn.rnn_cell": _CELLS,
    "python.keras": "tf_keras.src",
    "python.layers.base": f"{_LAYERS}.base",
    "python.layers.convolutional": f"{_LAYERS}.convolutional",
    "python.layers.core": f"{_LAYERS}.core",
    "python.layers.layers": "tf_keras.api._v1.keras.__internal__.legacy.layers",
    "python.layers.normalization": f"{_LAYERS}.normalization",
    "python.layers.pooling": f"{_LAYERS}.pooling",
    "python.ops.rnn_cell": _CELLS,
    "python.ops.rnn_cell_impl": "tf_keras.src.layers.rnn.legacy_cells",
    "contrib.framework": "tf_slim.ops.arg_scope tf_slim.ops.variables tf_slim.ops.framework_ops",
    "contrib.framework.python.ops": (
        "tf_slim.ops.arg_scope tf_slim.ops.variables tf_slim.ops.framework_ops"
    ),
    "contrib.framework.python.ops.ops": "tf_slim.ops.framework_ops",
    "contrib.framework.python.ops.variables": "tf_slim.ops.variables",
    "contrib.layers": "tf_slim.layers",
    "contrib.layers.python.layers": "tf_slim.layers",
    "contrib.layers.python.ops.sparse_ops": "tf_slim.layers.sparse_ops",
    "contrib.losses": "tf_slim.losses",
    "contrib.losses.python.losses": "tf_slim.losses",
    "contrib.losses.python.losses.loss_ops": "tf_slim.losses.loss_ops",
    "contrib.losses.python.metric_learning": "tf_slim.losses.metric_learning",
    "contrib.losses.python.metric_learning.metric_loss_ops": "tf_slim.losses.metric_learning",
    "contrib.metrics": "tf_slim.metrics",
    "contrib.metrics.python.metrics.classification": "tf_slim.metrics.classification",
    "contrib.metrics.python.ops.histogram_ops": "tf_slim.metrics.histogram_ops",
    "contrib.metrics.python.ops.metric_ops": "tf_slim.metrics.metric_ops",
    "contrib.slim": "tf_slim",
    "contrib.slim.nets": "tf_slim.nets",
    "contrib.slim.python.slim": "tf_slim",
    "contrib.training": "tf_slim.training.training tf_slim.training.evaluation",
    "contrib.training.python.training.evaluation": "tf_slim.training.evaluation",
    "contrib.training.python.training.training": "tf_slim.training.training",
}

# This one's name is also that of a function in it, which is what an attribute of `ops` means.
_ARG_SCOPE = (
    "add_arg_scope", "arg_scope", "arg_scope_func_key", "arg_scoped_arguments",
    "current_arg_scope", "has_arg_scope",
)  # fmt: skip


def names() -> dict[str, object]:
    """Return the modules by their old names."""
    scopes = {
        f"contrib.framework.python.ops.arg_scope.{name}": Moved("tf_slim.ops.arg_scope", name)
        for name in _ARG_SCOPE
    }
    arg_scope = Moved("tf_slim.ops.arg_scope", "arg_scope")
    modules = {old: Moved(new) for old, new in _MODULES.items()}
    return modules | scopes | {"contrib.framework.python.ops.arg_scope": arg_scope}
