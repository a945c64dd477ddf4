# ruff: noqa - old ways are the point of this file
# A recurrent variational autoencoder (DRAW without attention), before TensorFlow 1.0.
import sys

import tensorflow as tf
from tensorflow.examples.tutorials import mnist

T, batch_size, enc_size, dec_size, z_size = 4, 50, 48, 48, 5
DO_SHARE = None


def linear(x, output_dim):
    w = tf.get_variable("w", [x.get_shape()[1], output_dim])
    b = tf.get_variable("b", [output_dim], initializer=tf.constant_initializer(0.0))
    return tf.matmul(x, w) + b


def sample_q(h_enc, e):
    with tf.variable_scope("mu", reuse=DO_SHARE):
        mu = linear(h_enc, z_size)
    with tf.variable_scope("sigma", reuse=DO_SHARE):
        logsigma = linear(h_enc, z_size)
        sigma = tf.exp(logsigma)
    return (mu + sigma * e, mu, logsigma, sigma)


def main(folder, steps=60):
    global DO_SHARE
    DO_SHARE = None
    tf.set_random_seed(0)
    x = tf.placeholder(tf.float32, shape=(batch_size, 784))
    e = tf.random_normal((batch_size, z_size), mean=0, stddev=1)
    lstm_enc = tf.nn.rnn_cell.LSTMCell(enc_size, state_is_tuple=True)
    lstm_dec = tf.nn.rnn_cell.LSTMCell(dec_size, state_is_tuple=True)
    canvas = tf.zeros((batch_size, 784))
    h_dec = tf.zeros((batch_size, dec_size))
    enc_state = lstm_enc.zero_state(batch_size, tf.float32)
    dec_state = lstm_dec.zero_state(batch_size, tf.float32)
    kl_terms = []
    for _ in range(T):
        x_hat = x - tf.sigmoid(canvas)
        with tf.variable_scope("encoder", reuse=DO_SHARE):
            h_enc, enc_state = lstm_enc(tf.concat(1, [x, x_hat, h_dec]), enc_state)
        z, mu, logsigma, sigma = sample_q(h_enc, e)
        with tf.variable_scope("decoder", reuse=DO_SHARE):
            h_dec, dec_state = lstm_dec(z, dec_state)
        with tf.variable_scope("write", reuse=DO_SHARE):
            canvas = canvas + linear(h_dec, 784)
        DO_SHARE = True
        kl_terms.append(
            0.5 * tf.reduce_sum(tf.square(mu) + tf.square(sigma) - 2 * logsigma, 1) - 0.5 * z_size
        )
    p = tf.nn.sigmoid(canvas)
    crossentropy = -(x * tf.log(p + 1e-8) + (1.0 - x) * tf.log(1.0 - p + 1e-8))
    cost = tf.reduce_mean(tf.reduce_sum(crossentropy, 1) + tf.add_n(kl_terms))
    optimizer = tf.train.AdamOptimizer(0.005, beta1=0.5)
    grads = optimizer.compute_gradients(cost)
    for i, (g, v) in enumerate(grads):
        if g is not None:
            grads[i] = (tf.clip_by_norm(g, 5), v)
    train_op = optimizer.apply_gradients(grads)
    data = mnist.input_data.read_data_sets(folder, one_hot=True, validation_size=40).train
    sess = tf.InteractiveSession()
    tf.initialize_all_variables().run()
    costs = [sess.run([cost, train_op], {x: data.next_batch(batch_size)[0]})[0] for _ in range(steps)]
    sess.close()
    return costs


if __name__ == "__main__":
    print(main(sys.argv[1])[-1])
