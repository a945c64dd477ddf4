"""Where TensorFlow 1's own code lives now: in tf-keras, in tf-slim, elsewhere in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

from vae_tf1.legacy.machinery.lazy import Alias, Moved

__all__ = ["names", "title"]

title = "TensorFlow 1's own code, from tf-keras, tf-slim and other places in TensorFlow"

_LAYERS = "tf_keras.src.legacy_tf_layers"
_CELLS = "tf_keras.api._v1.keras.__internal__.legacy.rnn_cell"
_FRAMEWORK = "tf_slim.ops.arg_scope tf_slim.ops.variables tf_slim.ops.framework_ops"

# Old module -> the module that holds its code now. Several stand side by side.
_MODULES = {
    "layers": "tf_keras.api._v1.keras.__internal__.legacy.layers",
    "nn.rnn_cell": _CELLS,
    "python.keras": "tf_keras.src",
    "python.keras.testing_utils": "tf_keras.src.testing_infra.test_utils",
    "python.layers.base": f"{_LAYERS}.base",
    "python.layers.convolutional": f"{_LAYERS}.convolutional",
    "python.layers.core": f"{_LAYERS}.core",
    "python.layers.layers": "tf_keras.api._v1.keras.__internal__.legacy.layers",
    "python.layers.normalization": f"{_LAYERS}.normalization",
    "python.layers.pooling": f"{_LAYERS}.pooling",
    "python.ops.rnn_cell": _CELLS,
    "python.ops.rnn_cell_impl": "tf_keras.src.layers.rnn.legacy_cells",
    "contrib.framework": _FRAMEWORK,
    "contrib.framework.nest": "tensorflow.python.util.nest",
    "contrib.framework.python.framework.checkpoint_utils": (
        "tensorflow.python.training.checkpoint_utils"
    ),
    "contrib.framework.python.ops": _FRAMEWORK,
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
    "python.training.checkpoint_management": "tensorflow.python.checkpoint.checkpoint_management",
    "python.training.tracking.data_structures": "tensorflow.python.trackable.data_structures",
    "python.training.tracking.graph_view": "tensorflow.python.checkpoint.graph_view",
    "python.training.tracking.layer_utils": "tensorflow.python.trackable.layer_utils",
    "python.training.tracking.python_state": "tensorflow.python.trackable.python_state",
    "python.training.saving.functional_saver": "tensorflow.python.checkpoint.functional_saver",
    "python.data.experimental.ops.distribute_options": "tensorflow.python.data.ops.options",
    "python.data.experimental.ops.optimization_options": "tensorflow.python.data.ops.options",
    "python.data.experimental.ops.threading_options": "tensorflow.python.data.ops.options",
}

# Old module -> {the module of tensorflow.python that it is found in now: names}.
_NAMES = {
    "contrib.data": {
        "data.ops.dataset_ops": "AUTOTUNE",
        "data.ops.iterator_ops": "get_next_as_optional",
        "data.ops.optional_ops": "Optional",
        "data.experimental.ops.batching": "dense_to_sparse_batch map_and_batch unbatch",
        "data.experimental.ops.counter": "Counter",
        "data.experimental.ops.enumerate_ops": "enumerate_dataset",
        "data.experimental.ops.error_ops": "ignore_errors",
        "data.experimental.ops.get_single_element": "get_single_element",
        "data.experimental.ops.grouping": (
            "Reducer bucket_by_sequence_length group_by_reducer group_by_window"
        ),
        "data.experimental.ops.interleave_ops": (
            "choose_from_datasets parallel_interleave sample_from_datasets"
        ),
        "data.experimental.ops.iterator_ops": "make_saveable_from_iterator",
        "data.experimental.ops.parsing_ops": "parse_example_dataset",
        "data.experimental.ops.prefetching_ops": "copy_to_device prefetch_to_device",
        "data.experimental.ops.random_ops": "RandomDataset",
        "data.experimental.ops.readers": (
            "CsvDataset SqlDataset make_batched_features_dataset make_csv_dataset"
        ),
        "data.experimental.ops.resampling": "rejection_resample",
        "data.experimental.ops.scan_ops": "scan",
        "data.experimental.ops.shuffle_ops": "shuffle_and_repeat",
        "data.experimental.ops.unique": "unique",
        "data.experimental.ops.writers": "TFRecordWriter",
    },
    "contrib.eager": {
        "checkpoint.checkpoint": "Checkpoint",
        "eager.backprop": (
            "GradientTape gradients_function implicit_grad implicit_val_and_grad "
            "val_and_grad_function"
        ),
        "eager.context": "executing_eagerly num_gpus",
        "framework.ops": "enable_eager_execution",
        "framework.tensor": "TensorSpec",
        "ops.variable_scope": "EagerVariableStore",
    },
    "contrib.framework": {
        "framework.ops": "prepend_name_scope strip_name_scope",
        "framework.smart_cond": "smart_case smart_cond smart_constant_value",
        "framework.sparse_tensor": "convert_to_tensor_or_sparse_tensor",
        "framework.tensor": "BoundedTensorSpec TensorSpec",
        "framework.tensor_util": "is_tensor",
        "ops.check_ops": "assert_same_float_dtype assert_scalar",
        "ops.confusion_matrix": "remove_squeezable_dimensions",
        "ops.data_flow_ops": "RecordInput",
        "ops.init_ops": (
            "convolutional_delta_orthogonal convolutional_orthogonal_1d "
            "convolutional_orthogonal_2d convolutional_orthogonal_3d"
        ),
        "ops.script_ops": "py_func",
        "ops.sort_ops": "argsort sort",
        "training.checkpoint_utils": (
            "init_from_checkpoint list_variables load_checkpoint load_variable"
        ),
        "util.deprecation": "deprecated deprecated_arg_values deprecated_args",
    },
    "contrib.layers": {
        "ops.embedding_ops": "safe_embedding_lookup_sparse",
    },
    "contrib.linalg": {
        "ops.linalg.linear_operator": "LinearOperator",
        "ops.linalg.linear_operator_composition": "LinearOperatorComposition",
        "ops.linalg.linear_operator_diag": "LinearOperatorDiag",
        "ops.linalg.linear_operator_full_matrix": "LinearOperatorFullMatrix",
        "ops.linalg.linear_operator_identity": (
            "LinearOperatorIdentity LinearOperatorScaledIdentity"
        ),
    },
    "contrib.metrics": {
        "ops.confusion_matrix": "confusion_matrix",
        "ops.sets_impl": "set_difference set_intersection set_size set_union",
    },
    "contrib.rnn": {"ops.rnn": "static_bidirectional_rnn static_rnn static_state_saving_rnn"},
    "contrib.slim": {
        "ops.embedding_ops": "safe_embedding_lookup_sparse",
        "util.deprecation": "deprecated deprecated_arg_values",
    },
    "contrib.summary": {
        "ops.summary_ops_v2": (
            "SummaryWriter all_v2_summary_ops always_record_summaries audio create_file_writer "
            "create_summary_file_writer eval_dir flush generic graph histogram image import_event "
            "initialize never_record_summaries record_summaries_every_n_global_steps scalar "
            "should_record_summaries summary_writer_initializer_op"
        ),
    },
    "contrib.util": {
        "framework.meta_graph": "ops_used_by_graph_def stripped_op_list_for_graph",
        "framework.tensor_util": "constant_value make_tensor_proto",
    },
    "python.eager.backprop": {"eager.polymorphic_function.polymorphic_function": "function"},
    "python.eager.def_function": {"eager.polymorphic_function.polymorphic_function": "function"},
    "python.eager.function": {"eager.polymorphic_function.polymorphic_function": "function"},
    "python.eager.tape": {"eager.record": "could_possibly_record record_operation stop_recording"},
    "python.framework.common_shapes": {"framework.tensor_shape": "unknown_shape"},
    "python.framework.graph_util_impl": {
        "framework.convert_to_constants": "convert_variables_to_constants",
    },
    "python.framework.ops": {
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
    "python.framework.tensor_util": {
        "framework.tensor": "is_tensor",
        "ops.shape_util": "maybe_set_static_shape shape_tensor",
    },
    "python.ops.array_ops": {
        "ops.array_ops_stack": "stack unstack",
        "ops.tensor_getitem_override": "_BaseSlice _check_index _slice_helper",
    },
    "python.ops.control_flow_ops": {
        "ops.cond": "cond cond_for_tf_v2",
        "ops.control_flow_assert": "Assert",
        "ops.control_flow_case": "case case_v2",
        "ops.control_flow_switch_case": "switch_case",
        "ops.while_loop": "while_loop while_loop_v2",
    },
    "python.ops.linalg.linear_operator_algebra": {
        "ops.linalg.linalg_impl": "adjoint cholesky solve"
    },
    "python.ops.math_ops": {"ops.bincount_ops": "bincount bincount_v1"},
    "python.ops.nn_impl": {
        "ops.nn_impl_distribute": "compute_average_loss scale_regularization_loss"
    },
    "python.ops.random_ops": {"ops.random_crop_ops": "random_crop"},
    "python.ops.variable_scope": {
        "ops.ref_variable": "default_variable_creator",
        "ops.resource_variable_ops": "default_variable_creator_v2",
        "ops.resource_variables_toggle": (
            "_DEFAULT_USE_RESOURCE disable_resource_variables enable_resource_variables "
            "resource_variables_enabled"
        ),
    },
    "python.ops.variables": {
        "ops.ref_variable": "RefVariable default_variable_creator",
        "ops.variable_v1": "VariableV1 is_variable_initialized",
    },
    "python.pywrap_tensorflow": {"training.py_checkpoint_reader": "NewCheckpointReader"},
    "python.saved_model.utils_impl": {
        "saved_model.path_helpers": (
            "get_assets_dir get_or_create_assets_dir get_or_create_variables_dir "
            "get_variables_dir get_variables_path"
        ),
    },
    "python.training.saver": {
        "checkpoint.checkpoint_management": (
            "checkpoint_exists generate_checkpoint_state_proto get_checkpoint_mtimes "
            "get_checkpoint_state latest_checkpoint update_checkpoint_state"
        ),
    },
    "python.training.tracking.base": {
        "trackable.base": (
            "CheckpointInitialValue NoRestoreSaveable Trackable TrackableReference "
            "no_automatic_dependency_tracking no_automatic_dependency_tracking_scope"
        ),
    },
    "python.training.tracking.tracking": {
        "trackable.autotrackable": "AutoTrackable",
        "trackable.resource": "CapturableResource TrackableResource",
    },
    "python.training.tracking.util": {
        "checkpoint.checkpoint": "Checkpoint CheckpointV1 TrackableSaver list_objects",
    },
    "python.util.compat_internal": {"util.compat": "path_to_str"},
    "python.util.nest": {
        "util.nest_util": "_is_mapping_view",
    },
}

# Names that have another one now, or whose module is not one of tensorflow.python.
_RENAMED = {
    "contrib.data.Dataset": "tensorflow.compat.v1.data.Dataset",
    "contrib.data.FixedLengthRecordDataset": "tensorflow.compat.v1.data.FixedLengthRecordDataset",
    "contrib.data.Iterator": "tensorflow.compat.v1.data.Iterator",
    "contrib.data.TFRecordDataset": "tensorflow.compat.v1.data.TFRecordDataset",
    "contrib.data.TextLineDataset": "tensorflow.compat.v1.data.TextLineDataset",
    "contrib.eager.Variable": "tensorflow.python.ops.resource_variable_ops.ResourceVariable",
    "contrib.eager.defun": "tensorflow.function",
    "contrib.eager.implicit_gradients": "tensorflow.python.eager.backprop.implicit_grad",
    "contrib.eager.implicit_value_and_gradients": (
        "tensorflow.python.eager.backprop.implicit_val_and_grad"
    ),
    "contrib.eager.in_eager_mode": "tensorflow.python.eager.context.executing_eagerly",
    "contrib.eager.make_template": "tensorflow.python.ops.template.make_template",
    "contrib.eager.py_func": "tensorflow.python.ops.script_ops.eager_py_func",
    "contrib.eager.value_and_gradients_function": (
        "tensorflow.python.eager.backprop.val_and_grad_function"
    ),
    "contrib.linalg.LinearOperatorTriL": (
        "tensorflow.python.ops.linalg.linear_operator_lower_triangular.LinearOperatorLowerTriangular"
    ),
    "contrib.linalg.LinearOperatorUDVHUpdate": (
        "tensorflow.python.ops.linalg.linear_operator_low_rank_update.LinearOperatorLowRankUpdate"
    ),
    "contrib.rnn.LayerRNNCell": "tf_keras.src.layers.rnn.legacy_cells.LayerRNNCell",
    "contrib.rnn.best_effort_input_batch_size": (
        "tensorflow.python.ops.rnn._best_effort_input_batch_size"
    ),
    "contrib.rnn.transpose_batch_time": "tensorflow.python.ops.rnn._transpose_batch_time",
    "contrib.summary.all_summary_ops": "tensorflow.python.ops.summary_ops_v2.all_v2_summary_ops",
    "contrib.util.make_ndarray": "tensorflow.python.framework.tensor_util.MakeNdarray",
    "python.eager.function.defun": "tensorflow.function",
    "python.ops.variable_scope.variable": "tensorflow.python.ops.variable_v1.VariableV1",
    "python.util.nest.is_sequence": "tensorflow.python.util.nest.is_nested",
}

# The module `arg_scope` has the name of a function in it, which is what `ops.arg_scope` means.
_ARG_SCOPE = "contrib.framework.python.ops.arg_scope"
_IN_ARG_SCOPE = (
    "add_arg_scope", "arg_scope", "arg_scope_func_key", "arg_scoped_arguments",
    "current_arg_scope", "has_arg_scope",
)  # fmt: skip


def _register_shape(name: str) -> Callable[[Callable], Callable]:
    """Decorate a function with nothing: TensorFlow infers all shapes itself since 1.0."""
    return lambda function: function


def _does_nothing(*args: object, **kwargs: object) -> None:
    """Stand for what TensorFlow does by itself today."""


def names() -> dict[str, object]:
    """Return TensorFlow 1's own code by its old names."""
    provided: dict[str, object] = {old: Moved(new) for old, new in _MODULES.items()}
    for old, homes in _NAMES.items():
        for new, found in homes.items():
            module = f"tensorflow.python.{new}"
            provided |= {f"{old}.{name}": Moved(module, name) for name in found.split()}
    for old, new in _RENAMED.items():
        module, _, name = new.rpartition(".")
        provided[old] = Moved(module, name)
    for name in _IN_ARG_SCOPE:
        provided[f"{_ARG_SCOPE}.{name}"] = Moved("tf_slim.ops.arg_scope", name)
    return provided | {
        "contrib.framework.python.framework.tensor_util": Alias("contrib.framework"),
        _ARG_SCOPE: provided[f"{_ARG_SCOPE}.arg_scope"],
        "python.framework.ops.RegisterShape": _register_shape,
        "python.framework.ops.register_dense_tensor_like_type": _does_nothing,
        "python.framework.ops.set_shapes_for_outputs": _does_nothing,
    }
