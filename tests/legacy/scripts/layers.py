"""The layers of TF1, each built in a graph of its own, with what it makes written to a file.

    python layers.py OUTPUT.npz

Plain TF1 code: it runs under a genuine TensorFlow 1.4 or 1.15, and through the shim.
"""

import json
import sys

import numpy as np
import tensorflow as tf

slim = tf.contrib.slim
layers = tf.contrib.layers

CASES = []


def case(*input_shape):
    def add(build):
        CASES.append((build.__name__, input_shape, build))
        return build

    return add


@case(4, 6)
def core_dense(x):
    x = tf.layers.dense(x, 5, activation=tf.nn.relu)
    x = tf.layers.dense(x, 4, use_bias=False)
    return tf.layers.dense(x, 3, tf.nn.tanh, name="last", trainable=False)


@case(4, 3, 6)
def core_dense_of_three_axes(x):
    return tf.layers.dense(x, 5, kernel_regularizer=layers.l2_regularizer(0.25))


@case(4, 6)
def core_dense_shared(x):
    a = tf.layers.dense(x, 6, name="same")
    b = tf.layers.dense(a, 6, name="same", reuse=True)
    with tf.variable_scope("outer"):
        b = tf.layers.dense(b, 6)
        b = tf.layers.dense(b, 6)
    with tf.variable_scope("outer", reuse=True):
        b = tf.layers.dense(b, 6)
        b = tf.layers.dense(b, 6)
    layer = tf.layers.Dense(6)
    return a + layer(layer(b))


@case(2, 8, 7, 3)
def core_conv2d(x):
    x = tf.layers.conv2d(x, 4, 3, strides=2, padding="same", activation=tf.nn.elu)
    x = tf.layers.conv2d(x, 4, [2, 3], padding="VALID", name="named")
    x = tf.layers.conv2d(x, 5, (2, 1), dilation_rate=(1, 1), use_bias=False)
    return tf.layers.conv2d(x, 2, 1, bias_initializer=tf.constant_initializer(0.5))


@case(2, 8, 7, 3)
def core_conv2d_dilated(x):
    return tf.layers.conv2d(x, 4, 3, dilation_rate=2, padding="same")


@case(2, 3, 4, 3)
def core_conv2d_transpose(x):
    x = tf.layers.conv2d_transpose(x, 4, 3, strides=2, padding="same", activation=tf.nn.relu)
    x = tf.layers.conv2d_transpose(x, 3, [4, 2], strides=(3, 1), padding="valid")
    return tf.layers.conv2d_transpose(x, 2, 2, strides=3, use_bias=False, name="up")


@case(2, 9, 3)
def core_conv1d(x):
    x = tf.layers.conv1d(x, 4, 3, strides=2, padding="same")
    return tf.layers.max_pooling1d(x, 2, 1)


@case(2, 5, 6, 4, 2)
def core_conv3d(x):
    x = tf.layers.conv3d(x, 3, 2, padding="same")
    x = tf.layers.average_pooling3d(x, 2, 1)
    if tf.__version__.startswith("1.4"):  # which cannot transpose a batch of unknown size
        x = tf.reshape(x, [2, 4, 5, 3, 3])
    return tf.layers.conv3d_transpose(x, 2, 2, strides=2, padding="same")


@case(2, 8, 8, 3)
def core_separable_conv2d(x):
    return tf.layers.separable_conv2d(x, 5, 3, depth_multiplier=2, padding="same")


@case(2, 7, 6, 3)
def core_pooling_and_flatten(x):
    x = tf.layers.max_pooling2d(x, 2, 2)
    x = tf.layers.average_pooling2d(x, 2, 1, padding="same")
    return tf.layers.flatten(x)


@case(6, 5)
def core_batch_norm_of_vectors(x):
    x = tf.layers.batch_normalization(x, training=True)
    return tf.layers.batch_normalization(x, momentum=0.9, epsilon=1e-2, scale=False)


@case(3, 4, 4, 2)
def core_batch_norm_of_images(x):
    x = tf.layers.batch_normalization(x, training=True, momentum=0.8)
    x = tf.layers.batch_normalization(x, training=tf.constant(True), fused=False, name="plain")
    return tf.layers.batch_normalization(x, training=False, center=False)


@case(3, 4, 4, 2)
def core_batch_norm_by_placeholder(x):
    training = tf.placeholder_with_default(True, [])
    return tf.layers.batch_normalization(x, training=training)


@case(6, 5)
def core_dropout_not_training(x):
    return tf.layers.dropout(tf.layers.dropout(x, 0.3), 0.5, training=tf.constant(False))


@case(4, 6)
def contrib_fully_connected(x):
    x = layers.fully_connected(x, 5)
    x = layers.fully_connected(x, 4, activation_fn=None, scope="linear")
    x = slim.fully_connected(x, 4, activation_fn=tf.nn.softplus, biases_initializer=None)
    return layers.linear(x, 3, weights_regularizer=layers.l2_regularizer(0.5))


@case(2, 3, 6)
def contrib_fully_connected_of_three_axes(x):
    return layers.fully_connected(x, 5)


@case(4, 6)
def contrib_fully_connected_normalised(x):
    return slim.fully_connected(x, 5, normalizer_fn=slim.batch_norm)


@case(2, 8, 8, 3)
def contrib_conv2d(x):
    with slim.arg_scope(
        [slim.conv2d], padding="SAME", weights_regularizer=slim.l2_regularizer(0.1)
    ):
        x = slim.conv2d(x, 4, [3, 3], stride=2)
        x = slim.conv2d(x, 4, 3, activation_fn=None, scope="named")
        x = slim.conv2d(x, 4, 2, padding="VALID", normalizer_fn=slim.batch_norm)
    x = slim.max_pool2d(x, 2, stride=1)
    x = slim.avg_pool2d(x, [2, 2], stride=1, padding="SAME", scope="pooled")
    return slim.flatten(x)


@case(2, 8, 8, 3)
def contrib_conv2d_dilated(x):
    return slim.conv2d(x, 4, 3, rate=2)


@case(2, 3, 3, 3)
def contrib_conv2d_transpose(x):
    x = slim.conv2d_transpose(x, 4, [3, 3], stride=2, scope="up")
    x = slim.conv2d_transpose(x, 3, 2, padding="VALID", activation_fn=None)
    return layers.convolution2d_transpose(x, 2, 3, normalizer_fn=slim.batch_norm)


@case(2, 8, 8, 3)
def contrib_separable_conv2d(x):
    return slim.separable_conv2d(x, 5, [3, 3], depth_multiplier=2)


@case(6, 5)
def contrib_batch_norm_of_vectors(x):
    x = layers.batch_norm(x, decay=0.9)
    x = layers.batch_norm(x, scale=True, is_training=False, scope="still")
    return layers.batch_norm(x, updates_collections=None, activation_fn=tf.nn.relu)


@case(3, 4, 4, 2)
def contrib_batch_norm_of_images(x):
    x = layers.batch_norm(x, decay=0.9, scale=True)
    x = layers.batch_norm(x, decay=0.9, updates_collections=None)
    x = layers.batch_norm(x, decay=0.9, fused=False)
    return layers.batch_norm(x, decay=0.9, zero_debias_moving_mean=True, center=False)


@case(6, 5)
def contrib_batch_norm_by_placeholder(x):
    training = tf.placeholder_with_default(True, [])
    x = layers.batch_norm(x, decay=0.5, is_training=training)
    return layers.batch_norm(x, decay=0.5, is_training=training, updates_collections=None)


@case(6, 5)
def contrib_layer_norm(x):
    return layers.layer_norm(layers.layer_norm(x), center=False, scope="again")


@case(2, 4, 4, 3)
def contrib_instance_norm(x):
    return layers.instance_norm(x)


@case(4, 6)
def contrib_stack_and_repeat(x):
    x = slim.stack(x, slim.fully_connected, [5, 4], scope="fc")
    x = slim.repeat(x, 2, slim.fully_connected, 4, activation_fn=tf.nn.tanh)
    x = layers.bias_add(x)
    return layers.softmax(tf.reshape(layers.maxout(x, 2), [-1, 2]))


@case(4, 6)
def contrib_collections(x):
    with slim.arg_scope(
        [slim.fully_connected],
        variables_collections={"weights": ["mine"]},
        outputs_collections=["outputs"],
    ):
        x = slim.fully_connected(x, 5)
        with tf.variable_scope("inner"):
            x = slim.fully_connected(x, 4, trainable=False)
    x = slim.dropout(x, 0.7, is_training=False)
    return tf.concat(tf.get_collection("outputs"), 1) + tf.nn.l2_loss(tf.get_collection("mine")[1])


@case(2, 3, 4)
def recurrent_cells(x):
    cell = tf.nn.rnn_cell.LSTMCell(3, use_peepholes=True, num_proj=2)
    a, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.BasicRNNCell(2)])
    b, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32, scope="stacked")
    cell = tf.contrib.rnn.BasicLSTMCell(2)
    state = cell.zero_state(2, tf.float32)
    for step in range(3):
        with tf.variable_scope("encoder", reuse=step > 0):
            c, state = cell(x[:, step], state)
    return tf.concat([a[:, -1], b[:, -1], c, state.c], 1)


def known_values(shape, offset):
    """Numbers that any NumPy gives alike."""
    size = int(np.prod(shape))
    return (np.sin(np.arange(size) * 0.7 + offset) * 0.5).reshape(shape).astype(np.float32)


def run(build, input_shape, record, name):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, (None, *input_shape[1:]), name="x")
        y = build(x)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
        gradient = tf.gradients(tf.reduce_sum(tf.square(y)), x)[0]
        session.run(tf.global_variables_initializer())
        variables = tf.global_variables()
        trainable, model = tf.trainable_variables(), tf.model_variables()
        for i, v in enumerate(variables):
            value = known_values(v.get_shape().as_list(), i)
            if "variance" in v.op.name or "local_step" in v.op.name:
                value = np.abs(value)
            if "local_step" not in v.op.name:
                v.load(value, session)
        feed = {x: known_values(input_shape, 0.3) * 3}
        record["outputs"][name] = y.op.name
        record["static_shapes"][name] = y.get_shape().as_list()
        record["variables"][name] = [
            [v.op.name, v.get_shape().as_list(), v in trainable, v in model] for v in variables
        ]
        record["updates"][name] = len(updates)
        results = {"output": session.run(y, feed), "gradient": session.run(gradient, feed)}
        if losses:
            results["losses"] = np.array(session.run(losses, feed))
        session.run(updates, feed)
        for v in variables:
            if not any(v is t for t in trainable):
                results["after/" + v.op.name] = session.run(v)
        return results


def main(path):
    record = {"outputs": {}, "static_shapes": {}, "variables": {}, "updates": {}}
    arrays = {}
    for name, input_shape, build in CASES:
        for key, value in run(build, input_shape, record, name).items():
            arrays[name + "/" + key] = value
    record["arrays"] = [[key, list(arrays[key].shape)] for key in sorted(arrays)]
    values = np.concatenate([arrays[key].ravel() for key in sorted(arrays)])
    names = np.array(json.dumps(record, sort_keys=True))
    np.savez_compressed(path, names=names, values=values.astype(np.float32))


if __name__ == "__main__":
    main(sys.argv[1])
