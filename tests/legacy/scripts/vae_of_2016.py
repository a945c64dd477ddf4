# ruff: noqa - old ways are the point of this file
# A variational autoencoder as one wrote it before TensorFlow 1.0.
import sys

import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

n_latent = 5


def xavier(fan_in, fan_out):
    bound = np.sqrt(6.0 / (fan_in + fan_out))
    return tf.random_uniform((fan_in, fan_out), -bound, bound, dtype=tf.float32, seed=1)


def main(folder, steps=80):
    mnist = input_data.read_data_sets(folder, one_hot=True, validation_size=40)
    tf.set_random_seed(0)
    x = tf.placeholder(tf.float32, [None, 784])
    with tf.name_scope("encoder"):
        h = tf.nn.softplus(tf.add(tf.matmul(x, tf.Variable(xavier(784, 64))), tf.zeros([64])))
        both = tf.matmul(h, tf.Variable(xavier(64, 2 * n_latent)))
        z_mean, z_log_sigma_sq = tf.split(1, 2, both)
    eps = tf.random_normal(tf.pack([tf.shape(x)[0], n_latent]), 0, 1, dtype=tf.float32)
    z = tf.add(z_mean, tf.mul(tf.sqrt(tf.exp(z_log_sigma_sq)), eps))
    with tf.name_scope("decoder"):
        h = tf.nn.softplus(tf.matmul(z, tf.Variable(xavier(n_latent, 64))))
        logits = tf.matmul(h, tf.Variable(xavier(64, 784)))
    reconstruction = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(logits, x), 1)
    latent = -0.5 * tf.reduce_sum(
        tf.sub(1 + z_log_sigma_sq, tf.square(z_mean) + tf.exp(z_log_sigma_sq)),
        reduction_indices=1,
    )
    cost = tf.reduce_mean(reconstruction + latent)
    tf.scalar_summary("cost", cost)
    tf.histogram_summary("z", tf.concat(0, [z_mean, z_log_sigma_sq]))
    tf.image_summary("images", tf.reshape(tf.nn.sigmoid(logits), [-1, 28, 28, 1]), max_images=2)
    summary = tf.merge_all_summaries()
    optimizer = tf.train.AdamOptimizer(learning_rate=0.003).minimize(cost)

    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables())
        writer = tf.train.SummaryWriter("logs", graph_def=sess.graph_def)
        costs = []
        for step in range(steps):
            batch, _ = mnist.train.next_batch(50)
            _, c, s = sess.run((optimizer, cost, summary), feed_dict={x: batch})
            costs.append(c)
            if step % 20 == 0:
                writer.add_summary(s, step)
        writer.close()
    return costs


if __name__ == "__main__":
    print(main(sys.argv[1])[-1])
