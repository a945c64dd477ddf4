"""TensorFlow's internal names: where today's TensorFlow has what `tensorflow.python.X` had."""

from __future__ import annotations

from collections.abc import Callable

from vae_tf1.legacy.machinery.lazy import Moved

__all__ = ["names", "title"]

title = "Internals that have moved within `tensorflow.python`"

# Old module -> {the module of today: the names that have moved there}, all in tensorflow.python.
_MOVED = {
    "eager.backprop": {"eager.polymorphic_function.polymorphic_function": "function"},
    "eager.def_function": {"eager.polymorphic_function.polymorphic_function": "function"},
    "eager.function": {"eager.polymorphic_function.polymorphic_function": "function"},
    "eager.tape": {"eager.record": "could_possibly_record record_operation stop_recording"},
    "framework.common_shapes": {"framework.tensor_shape": "unknown_shape"},
    "framework.graph_util_impl": {
        "framework.convert_to_constants": "convert_variables_to_constants",
    },
    "framework.ops": {
        "framework.indexed_slices": (
            "IndexedSlices IndexedSlicesValue convert_n_to_tensor_or_indexed_slices "
            "convert_to_tensor_or_indexed_slices internal_convert_n_to_tensor_or_indexed_slices "
            "internal_convert_to_tensor_or_indexed_slices"
        ),
        "framework.stack": "default_session _default_session_stack",
        "framework.tensor": (
            "Tensor _eval_using_default_session _override_helper disable_tensor_equality "
            "enable_tensor_equality"
        ),
        "framework.tensor_conversion": "convert_to_tensor_v2",
        "framework.tensor_conversion_registry": "register_tensor_conversion_function",
    },
    "framework.tensor_util": {
        "framework.tensor": "is_tensor",
        "ops.shape_util": "maybe_set_static_shape shape_tensor",
    },
    "ops.array_ops": {
        "ops.array_ops_stack": "stack unstack",
        "ops.tensor_getitem_override": "_BaseSlice _check_index _slice_helper",
    },
    "ops.control_flow_ops": {
        "ops.cond": "cond cond_for_tf_v2",
        "ops.control_flow_assert": "Assert",
        "ops.control_flow_case": "case case_v2",
        "ops.control_flow_switch_case": "switch_case",
        "ops.while_loop": "while_loop while_loop_v2",
    },
    "ops.linalg.linear_operator_algebra": {"ops.linalg.linalg_impl": "adjoint cholesky solve"},
    "ops.math_ops": {"ops.bincount_ops": "bincount bincount_v1"},
    "ops.nn_impl": {"ops.nn_impl_distribute": "compute_average_loss scale_regularization_loss"},
    "ops.random_ops": {"ops.random_crop_ops": "random_crop"},
    "ops.variable_scope": {
        "ops.ref_variable": "default_variable_creator",
        "ops.resource_variable_ops": "default_variable_creator_v2",
        "ops.resource_variables_toggle": (
            "_DEFAULT_USE_RESOURCE disable_resource_variables enable_resource_variables "
            "resource_variables_enabled"
        ),
    },
    "ops.variables": {
        "ops.ref_variable": "RefVariable default_variable_creator",
        "ops.variable_v1": "VariableV1 is_variable_initialized",
    },
    "pywrap_tensorflow": {"training.py_checkpoint_reader": "NewCheckpointReader"},
    "saved_model.utils_impl": {
        "saved_model.path_helpers": (
            "get_assets_dir get_or_create_assets_dir get_or_create_variables_dir "
            "get_variables_dir get_variables_path"
        ),
    },
    "training.saver": {
        "checkpoint.checkpoint_management": (
            "checkpoint_exists generate_checkpoint_state_proto get_checkpoint_mtimes "
            "get_checkpoint_state latest_checkpoint update_checkpoint_state"
        ),
    },
    "training.tracking.base": {
        "trackable.base": (
            "CheckpointInitialValue NoRestoreSaveable Trackable TrackableReference "
            "no_automatic_dependency_tracking no_automatic_dependency_tracking_scope"
        ),
    },
    "training.tracking.tracking": {
        "trackable.autotrackable": "AutoTrackable",
        "trackable.resource": "CapturableResource TrackableResource",
    },
    "training.tracking.util": {
        "checkpoint.checkpoint": "Checkpoint CheckpointV1 TrackableSaver list_objects",
    },
    "util.compat_internal": {"util.compat": "path_to_str"},
    "util.nest": {
        "util.nest_util": "_is_mapping_view",
    },
}

# Modules that have moved as a whole.
_MODULES = {
    "training.checkpoint_management": "checkpoint.checkpoint_management",
    "training.tracking.data_structures": "trackable.data_structures",
    "training.tracking.graph_view": "checkpoint.graph_view",
    "training.tracking.layer_utils": "trackable.layer_utils",
    "training.tracking.python_state": "trackable.python_state",
    "training.saving.functional_saver": "checkpoint.functional_saver",
    "data.experimental.ops.distribute_options": "data.ops.options",
    "data.experimental.ops.optimization_options": "data.ops.options",
    "data.experimental.ops.threading_options": "data.ops.options",
}

# Names that have another one now.
_RENAMED = {
    "eager.function.defun": ("eager.polymorphic_function.polymorphic_function", "function"),
    "util.nest.is_sequence": ("util.nest", "is_nested"),
}


def _register_shape(name: str) -> Callable[[Callable], Callable]:
    """Decorate a function with nothing: TensorFlow has inferred shapes itself since 1.0."""
    return lambda function: function


def _does_nothing(*args: object, **kwargs: object) -> None:
    """Stand for what TensorFlow does by itself today."""


def names() -> dict[str, object]:
    """Return the internals by their old names."""
    provided: dict[str, object] = {
        f"python.{old}.{name}": Moved(f"tensorflow.python.{new}", name)
        for old, homes in _MOVED.items()
        for new, found in homes.items()
        for name in found.split()
    }
    provided |= {
        f"python.{old}": Moved(f"tensorflow.python.{new}") for old, new in _MODULES.items()
    }
    provided |= {
        f"python.{old}": Moved(f"tensorflow.python.{new}", name)
        for old, (new, name) in _RENAMED.items()
    }
    return provided | {
        "python.framework.ops.RegisterShape": _register_shape,
        "python.framework.ops.register_dense_tensor_like_type": _does_nothing,
        "python.framework.ops.set_shapes_for_outputs": _does_nothing,
    }
