# ruff: noqa: B905 - Python 2.7 reads this as well
"""The names and the argument orders of TensorFlow 0.12, and what they give.

    python names_before_tf1.py OUTPUT.npz

Runs under a genuine TensorFlow 0.12 and through the shim.
"""

import sys

import numpy as np
import tensorflow as tf

x = tf.constant(np.arange(12, dtype=np.float32).reshape(3, 4) / 7 - 0.6)
y = tf.constant(np.cos(np.arange(12, dtype=np.float32)).reshape(3, 4))
bits = tf.constant((np.arange(12).reshape(3, 4) % 3 == 0).astype(np.float32))
images = tf.reshape(tf.constant(np.arange(16, dtype=np.float32)), [1, 4, 4, 1])
v = tf.Variable(tf.ones([2]), name="v")

results = {
    "concat_0": tf.concat(0, [x, y]),
    "concat_1": tf.concat(1, [x, y], name="joined"),
    "concat_keywords": tf.concat(concat_dim=1, values=[x, y]),
    "concat_shapes": tf.concat(0, [[3], tf.shape(x)[1:]]),
    "concat_v2": tf.concat_v2([x, y], 1),
    "split": tf.split(1, 2, x)[1],
    "split_rows": tf.split(0, 3, y)[2],
    "split_keywords": tf.split(split_dim=1, num_split=4, value=x)[3],
    "split_v": tf.split_v(x, [1, 3], 1)[1],
    "pack": tf.pack([x, y]),
    "pack_axis": tf.pack([x, y], axis=1),
    "unpack": tf.unpack(x)[2],
    "unpack_axis": tf.unpack(x, axis=1)[3],
    "mul": tf.mul(x, y),
    "sub": tf.sub(x, y),
    "neg": tf.neg(x),
    "select": tf.select(x > y, x, y),
    "select_rows": tf.select([True, False, True], x, y),
    "complex_abs": tf.complex_abs(tf.complex(x, y)),
    "batch_matmul": tf.batch_matmul(tf.pack([x, y]), tf.pack([y, x]), adj_y=True),
    "reverse": tf.reverse(x, [True, False]),
    "sum": tf.reduce_sum(x, reduction_indices=1),
    "mean": tf.reduce_mean(x, reduction_indices=[0, 1]),
    "max_keep": tf.reduce_max(x, reduction_indices=[1], keep_dims=True),
    "sum_positional": tf.reduce_sum(x, 1, True),
    "argmax": tf.argmax(y, dimension=1),
    "expand": tf.expand_dims(x, dim=0),
    "squeeze": tf.squeeze(images, squeeze_dims=[0, 3]),
    "sigmoid_positional": tf.nn.sigmoid_cross_entropy_with_logits(x, bits),
    "sigmoid_targets": tf.nn.sigmoid_cross_entropy_with_logits(logits=x, targets=bits),
    "softmax_positional": tf.nn.softmax_cross_entropy_with_logits(y, tf.nn.softmax(x)),
    "sparse_positional": tf.nn.sparse_softmax_cross_entropy_with_logits(y, [0, 3, 1]),
    "dropout": tf.nn.dropout(x, 1.0),
    "softmax": tf.nn.softmax(x),
    "moments": tf.nn.moments(x, [0])[1],
    "normalize": tf.nn.l2_normalize(x, 1),
}
tf.scalar_summary("loss", tf.reduce_sum(x))
tf.scalar_summary(["a", "b"], tf.pack([1.0, 2.0]))
tf.histogram_summary("weights", y)
tf.image_summary("picture", images, max_images=1)
merged = tf.merge_all_summaries()
two = tf.merge_summary(tf.get_collection(tf.GraphKeys.SUMMARIES)[:2])

session = tf.Session()
session.run(tf.initialize_all_variables())
writer = tf.train.SummaryWriter(sys.argv[1] + ".logs", session.graph)
writer.add_summary(session.run(merged), 1)
writer.add_summary(session.run(two), global_step=2)
writer.close()

arrays = dict(zip(results, session.run(list(results.values()))))
for name, summary in (("merged", merged), ("two", two)):
    message = tf.Summary.FromString(session.run(summary))
    arrays["tags_" + name] = np.array([value.tag for value in message.value])
    arrays["simple_" + name] = np.array([value.simple_value for value in message.value])
arrays["histogram"] = np.array([v.histo.sum_squares for v in message.value] + [0.0])
arrays["variables"] = np.array([variable.name for variable in tf.all_variables()])
np.savez_compressed(sys.argv[1], **arrays)
