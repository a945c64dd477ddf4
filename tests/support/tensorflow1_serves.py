"""Run by a Python that has TensorFlow 1: it loads a SavedModel of this project and runs it."""

import sys

import numpy as np
import tensorflow as tf

folder, golden = sys.argv[1:]
golden = np.load(golden)
runs = (
    ("encode", "X", golden["X"][0], "means", golden["final_transform_X0"]),
    ("decode", "Z", golden["Z_input"], "probabilities", golden["prior_probs_from_Z_input"]),
)
with tf.Session(graph=tf.Graph()) as sess:
    loaded = tf.saved_model.loader.load(sess, ["serve"], folder)
    for name, input, value, output, expected in runs:
        signature = loaded.signature_def[name]
        found = sess.run(signature.outputs[output].name, {signature.inputs[input].name: value})
        np.testing.assert_allclose(found, expected, atol=1e-5)
print("two signatures agree")
