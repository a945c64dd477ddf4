"""Run by a Python that has TensorFlow 1: its Saver restores a checkpoint of this project.

The layers of a (24, [10, 6, 4]) model under the default names of TensorFlow 1, as an old script
has them.
"""

import os
import sys

import numpy as np
import tensorflow as tf

folder = sys.argv[1]
expected = np.load(os.path.join(folder, "expected.npz"))


def through(value, sizes):
    for i in range(len(sizes) - 1):
        W = tf.Variable(tf.random_normal((sizes[i], sizes[i + 1])))
        b = tf.Variable(tf.zeros(sizes[i + 1]))
        value = tf.matmul(value, W) + b
        if i < len(sizes) - 2:
            value = tf.nn.relu(value)
    return value


X = tf.placeholder(tf.float32, (None, 24))
codes = through(X, [24, 10, 6, 8])
means = codes[:, :4]
logits = through(means, [4, 6, 10, 24])
loss = tf.reduce_sum(logits) + tf.reduce_sum(codes)
train_op = tf.train.RMSPropOptimizer(0.001).minimize(loss)

with tf.Session() as sess:
    tf.train.Saver().restore(sess, os.path.join(folder, "m"))
    variables = tf.global_variables()
    for variable in variables:
        np.testing.assert_array_equal(sess.run(variable), expected[variable.op.name])
    restored = sess.run(means, {X: expected["X"]})
    np.testing.assert_allclose(restored, expected["means"], atol=2e-6)
print(f"restored {len(variables)} variables")
