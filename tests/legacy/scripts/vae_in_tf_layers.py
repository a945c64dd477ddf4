# ruff: noqa - old ways are the point of this file
# tf.layers and tf.contrib.distributions, as in the TensorFlow of 2018.
import sys

import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tfd = tf.contrib.distributions


def make_encoder(images, code_size, training):
    x = tf.layers.conv2d(images, 8, 5, 2, padding="same", activation=tf.nn.leaky_relu)
    x = tf.layers.batch_normalization(x, training=training)
    x = tf.layers.max_pooling2d(x, 2, 2)
    x = tf.layers.flatten(x)
    x = tf.layers.dropout(x, 0.1, training=training)
    x = tf.layers.dense(x, 64, tf.nn.relu)
    loc = tf.layers.dense(x, code_size)
    scale = tf.layers.dense(x, code_size, tf.nn.softplus)
    return tfd.MultivariateNormalDiag(loc, scale + 1e-3)


def make_decoder(code, training):
    x = tf.layers.dense(code, 7 * 7 * 8, tf.nn.relu)
    x = tf.reshape(x, [-1, 7, 7, 8])
    x = tf.layers.conv2d_transpose(x, 8, 5, 2, padding="same")
    x = tf.nn.relu(tf.layers.batch_normalization(x, training=training))
    logits = tf.layers.conv2d_transpose(x, 1, 5, 2, padding="same")
    return tfd.Independent(tfd.Bernoulli(logits=logits), 3)


make_encoder = tf.make_template("encoder", make_encoder)
make_decoder = tf.make_template("decoder", make_decoder)


def main(folder, steps=60):
    tf.set_random_seed(0)
    mnist = input_data.read_data_sets(folder, validation_size=40)
    data = tf.placeholder(tf.float32, [None, 784])
    training = tf.placeholder_with_default(False, [])
    images = tf.cast(tf.reshape(data, [-1, 28, 28, 1]) > 0.5, tf.float32)
    prior = tfd.MultivariateNormalDiag(tf.zeros(3), tf.ones(3))
    posterior = make_encoder(images, code_size=3, training=training)
    likelihood = make_decoder(posterior.sample(), training).log_prob(images)
    elbo = tf.reduce_mean(likelihood - tfd.kl_divergence(posterior, prior))
    fantasies = make_decoder(prior.sample(4), False).mean()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = tf.train.AdamOptimizer(0.005).minimize(-elbo)
    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        costs = []
        for _ in range(steps):
            feed = {data: mnist.train.next_batch(50)[0], training: True}
            costs.append(-sess.run([elbo, train_op], feed)[0])
        drawn = sess.run(fantasies)
        assert drawn.shape == (4, 28, 28, 1) and 0 <= drawn.min() < drawn.max() <= 1
        before = sess.run(tf.trainable_variables())
        path = saver.save(sess, "./vae.ckpt")
    with tf.Session() as sess:
        saver.restore(sess, path)
        for a, b in zip(before, sess.run(tf.trainable_variables())):
            assert np.array_equal(a, b)
    names = [v.name for v in tf.trainable_variables()]
    assert names[:4] == ["encoder/conv2d/kernel:0", "encoder/conv2d/bias:0",
                         "encoder/batch_normalization/gamma:0", "encoder/batch_normalization/beta:0"]
    return costs


if __name__ == "__main__":
    print(main(sys.argv[1])[-1])
