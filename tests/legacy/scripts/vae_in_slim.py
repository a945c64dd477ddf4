# ruff: noqa - old ways are the point of this file
# A convolutional variational autoencoder in slim, with batch normalisation, around 2017.
import sys

import tensorflow as tf
import tensorflow.contrib.slim as slim
from tensorflow.contrib.slim.python.slim import learning
from tensorflow.examples.tutorials.mnist import input_data


@slim.add_arg_scope
def gaussian_sample(mean, log_variance, seed=None):
    return mean + tf.exp(0.5 * log_variance) * tf.random_normal(tf.shape(mean), seed=seed)


def encoder(images):
    net = slim.conv2d(images, 8, [5, 5], scope="conv1")
    net = slim.conv2d(net, 16, 5, scope="conv2")
    net = slim.flatten(net)
    net = slim.dropout(net, 0.9)
    mean = slim.fully_connected(net, 6, activation_fn=None, normalizer_fn=None, scope="mean")
    return mean, slim.fully_connected(
        net, 6, activation_fn=None, normalizer_fn=None, scope="log_variance"
    )


def decoder(z):
    net = slim.fully_connected(z, 7 * 7 * 16)
    net = tf.reshape(net, [-1, 7, 7, 16])
    net = slim.conv2d_transpose(net, 8, 5)
    return slim.conv2d_transpose(net, 1, 5, activation_fn=None, normalizer_fn=None)


def model(images, is_training, reuse=None):
    bn = {"is_training": is_training, "decay": 0.9, "updates_collections": None}
    with tf.variable_scope("vae", reuse=reuse), slim.arg_scope(
        [slim.conv2d, slim.conv2d_transpose, slim.fully_connected],
        normalizer_fn=slim.batch_norm, normalizer_params=bn,
        weights_regularizer=slim.l2_regularizer(1e-4),
        weights_initializer=slim.variance_scaling_initializer(),
    ), slim.arg_scope([slim.conv2d, slim.conv2d_transpose], stride=2), slim.arg_scope(
        [slim.dropout], is_training=is_training
    ), slim.arg_scope([gaussian_sample], seed=7):
        mean, log_variance = encoder(images)
        logits = decoder(gaussian_sample(mean, log_variance))
    kl = -0.5 * tf.reduce_sum(1 + log_variance - mean ** 2 - tf.exp(log_variance), 1)
    nll = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
    return tf.reduce_mean(tf.reduce_sum(nll, [1, 2, 3]) + kl)


def main(folder, steps=60):
    tf.set_random_seed(0)
    mnist = input_data.read_data_sets(folder, reshape=False, validation_size=40)
    x = tf.placeholder(tf.float32, [None, 28, 28, 1])
    loss = model(x, is_training=True)
    still = model(x, is_training=False, reuse=True)
    slim.losses.add_loss(loss)
    total = slim.losses.get_total_loss()
    train_op = learning.create_train_op(total, tf.train.AdamOptimizer(0.01), clip_gradient_norm=50)
    names = [v.op.name for v in slim.get_model_variables("vae/conv1")]
    assert names == ["vae/conv1/" + name for name in (
        "weights", "BatchNorm/beta", "BatchNorm/moving_mean", "BatchNorm/moving_variance")]
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        costs = [sess.run(train_op, {x: mnist.train.next_batch(50)[0]}) for _ in range(steps)]
        assert sess.run(slim.get_global_step()) == steps
        held_out = sess.run(still, {x: mnist.test.images})
    return costs + [held_out]


if __name__ == "__main__":
    print(main(sys.argv[1])[-1])
