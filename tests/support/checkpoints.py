"""Checkpoints as TensorFlow 1 wrote them: any names and shapes, V1 or V2, optimizer slots."""

import contextlib

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def write_checkpoint(prefix, arrays, *, version=2, optimizer=None, partitions=None, sharded=False):
    """Write variables of these names and values; return what their Saver calls the checkpoint.

    With an optimizer its slots are there too. `partitions` cuts every matrix into so many parts.
    """
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with tf.Graph().as_default() as graph:
        variables = []
        for name, value in arrays.items():
            cut = partitions and np.ndim(value) == 2
            partitioner = tf1.fixed_size_partitioner(partitions) if cut else None
            device = f"/cpu:{len(variables) % 2}" if sharded else None
            with tf1.device(device) if device else contextlib.nullcontext():
                variables.append(
                    tf1.get_variable(
                        name,
                        np.shape(value),
                        np.asarray(value).dtype,
                        initializer=_part_of(value),
                        partitioner=partitioner,
                        use_resource=False,
                    )
                )
        if optimizer is not None:
            trainable = [v for v in tf1.trainable_variables() if v.dtype.base_dtype == tf.float32]
            loss = tf.add_n([tf.reduce_sum(v**2) for v in trainable])
            optimizer.minimize(loss, var_list=trainable)
        saver = tf1.train.Saver(write_version=version, sharded=sharded)
        config = tf1.ConfigProto(device_count={"CPU": 2})
        with tf1.Session(graph=graph, config=config) as sess:
            sess.run(tf1.global_variables_initializer())
            return saver.save(sess, str(prefix), write_meta_graph=False)


def _part_of(value):
    def initializer(shape, dtype=None, partition_info=None):
        offset = partition_info.var_offset if partition_info else [0] * np.ndim(value)
        part = tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))
        return tf.constant(np.asarray(value)[part])

    return initializer


def vae_arrays(names, sizes, seed=0):
    """Return random weights under these names: W and b of each layer in turn, zeros for no name."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for (W, b), (rows, columns) in zip(names, sizes, strict=True):
        arrays[W] = (rng.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)
        if b:
            arrays[b] = rng.standard_normal(columns).astype(np.float32) / 4
    return arrays
