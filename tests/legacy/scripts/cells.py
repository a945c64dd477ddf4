"""The recurrent cells of tf.contrib.rnn, each run over some steps, written to a file.

    python cells.py OUTPUT.npz

Plain TF1 code: it runs under a genuine TensorFlow 1.15, and through the shim.
"""

import sys

import tensorflow as tf
from layers import CASES, case, main

rnn = tf.contrib.rnn
del CASES[:]  # those of layers.py


def over_time(cell, x, **kwargs):
    outputs, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32, **kwargs)
    last = [tf.reshape(s, [tf.shape(s)[0], -1]) for s in tf.contrib.framework.nest.flatten(state)]
    return tf.concat([tf.reshape(outputs, [tf.shape(outputs)[0], -1])] + last, 1)


def simple(name, make):
    def build(x):
        return over_time(make(), x)

    build.__name__ = name
    case(2, 3, 4)(build)


simple("layer_norm_lstm", lambda: rnn.LayerNormBasicLSTMCell(3))
simple(
    "layer_norm_lstm_options",
    lambda: rnn.LayerNormBasicLSTMCell(
        3, forget_bias=0.5, activation=tf.nn.relu, norm_gain=0.7, norm_shift=0.1
    ),
)
simple("lstm_without_layer_norm", lambda: rnn.LayerNormBasicLSTMCell(3, layer_norm=False))
simple("input_projection", lambda: rnn.InputProjectionWrapper(rnn.GRUCell(2), 3, tf.nn.relu))
simple("output_projection", lambda: rnn.OutputProjectionWrapper(rnn.GRUCell(2), 3, tf.tanh))
simple("highway", lambda: rnn.HighwayWrapper(rnn.GRUCell(4)))
simple(
    "highway_uncoupled",
    lambda: rnn.HighwayWrapper(rnn.BasicRNNCell(4), couple_carry_transform_gates=False),
)
simple("attention", lambda: rnn.AttentionCellWrapper(rnn.GRUCell(3), 2))
simple(
    "attention_over_lstm",
    lambda: rnn.AttentionCellWrapper(rnn.BasicLSTMCell(3), 3, attn_size=2, attn_vec_size=4),
)
simple(
    "attention_in_one_state",
    lambda: rnn.AttentionCellWrapper(rnn.GRUCell(3), 2, state_is_tuple=False),
)
simple("ugrnn", lambda: rnn.UGRNNCell(3, forget_bias=0.3))
simple("intersection", lambda: rnn.IntersectionRNNCell(4))
simple("intersection_projected", lambda: rnn.IntersectionRNNCell(3, num_in_proj=3))
simple("nas", lambda: rnn.NASCell(3))
simple("nas_projected", lambda: rnn.NASCell(3, num_proj=2, use_bias=True))
simple("coupled", lambda: rnn.CoupledInputForgetGateLSTMCell(3))
simple(
    "coupled_options",
    lambda: rnn.CoupledInputForgetGateLSTMCell(
        4, use_peepholes=True, num_proj=3, proj_clip=0.2, num_unit_shards=2, num_proj_shards=2
    ),
)
simple(
    "coupled_layer_norm",
    lambda: rnn.CoupledInputForgetGateLSTMCell(3, layer_norm=True, state_is_tuple=False),
)
simple("grouped", lambda: rnn.GLSTMCell(4, number_of_groups=2))
simple("grouped_projected", lambda: rnn.GLSTMCell(4, number_of_groups=2, num_proj=2))
simple("sru", lambda: rnn.SRUCell(3))
simple("independent", lambda: rnn.IndRNNCell(3))
simple("independent_gru", lambda: rnn.IndyGRUCell(3))
simple("independent_lstm", lambda: rnn.IndyLSTMCell(3))
simple("gru_block", lambda: rnn.GRUBlockCell(3))
simple("gru_block_v2", lambda: rnn.GRUBlockCellV2(3))
simple("lstm_block", lambda: rnn.LSTMBlockCell(3))
simple("lstm_block_peephole", lambda: rnn.LSTMBlockCell(3, use_peephole=True, cell_clip=0.4))
simple("device", lambda: rnn.DeviceWrapper(rnn.BasicLSTMCell(3), "/cpu:0"))
simple("residual", lambda: rnn.ResidualWrapper(rnn.BasicLSTMCell(4)))


@case(2, 3, 4)
def embedding(x):
    cell = rnn.EmbeddingWrapper(rnn.GRUCell(3), 5, 2)
    classes = tf.constant([[1, 4, 0], [2, 2, 3]])
    return over_time(cell, classes[:, :, tf.newaxis]) * tf.reduce_mean(x)


@case(2, 3, 4)
def phased_lstm(x):
    times = tf.constant([[[1.0], [5.0], [40.0]], [[2.0], [2.5], [9.0]]])
    x = tf.reshape(x, [2, 3, 4])
    return over_time(rnn.PhasedLSTMCell(3, use_peepholes=True, leak=0.1), (times, x))


@case(2, 3, 5, 2)
def convolution_1d(x):
    return over_time(
        rnn.Conv1DLSTMCell(input_shape=[5, 2], output_channels=3, kernel_shape=[3]), x
    )


@case(2, 2, 4, 5, 2)
def convolution_2d(x):
    cell = rnn.Conv2DLSTMCell(
        input_shape=[4, 5, 2], output_channels=3, kernel_shape=[3, 2], use_bias=False
    )
    return over_time(cell, x)


@case(2, 2, 3, 2, 2, 1)
def convolution_3d(x):
    cell = rnn.Conv3DLSTMCell(
        input_shape=[3, 2, 2, 1], output_channels=1, kernel_shape=[2, 2, 2], forget_bias=0.2
    )
    return over_time(cell, x)


@case(3, 2, 4)
def fused(x):
    x = tf.reshape(x, [3, 2, 4])
    cell = rnn.LSTMBlockFusedCell(3, use_peephole=True)
    outputs, state = cell(x, dtype=tf.float32, sequence_length=tf.constant([3, 2]))
    backward = rnn.TimeReversedFusedRNN(rnn.FusedRNNCellAdaptor(rnn.GRUCell(3), True))
    others, last = backward(x, dtype=tf.float32)
    return tf.concat([outputs[-1], state.c, state.h, others[0], last], 1)


@case(2, 3, 4)
def stacked_both_ways(x):
    def cells():
        return [rnn.GRUCell(2), rnn.BasicRNNCell(3)]

    a, forward, backward = rnn.stack_bidirectional_dynamic_rnn(
        cells(), cells(), x, dtype=tf.float32, sequence_length=[3, 2]
    )
    b, _, _ = rnn.stack_bidirectional_rnn(
        cells(), cells(), tf.unstack(x, axis=1), dtype=tf.float32, scope="static"
    )
    return tf.concat([a[:, 1], forward[0], backward[1], b[0]], 1)


if __name__ == "__main__":
    main(sys.argv[1])
