# ruff: noqa - old ways are the point of this file
# The same model with stochastic tensors, in the spelling of 2016 and with several samples a digit.
import sys

import tensorflow as tf
from tensorflow.contrib.learn.python.learn.datasets.mnist import read_data_sets

sg = tf.contrib.bayesflow.stochastic_graph
st = tf.contrib.bayesflow.stochastic_tensor
distributions = tf.contrib.distributions
layers = tf.contrib.layers
SAMPLES = 2


def inference(x):
    hidden = layers.stack(x, layers.fully_connected, [64, 32], scope="encoder")
    mu = layers.linear(hidden, 4, scope="mu")
    sigma = layers.fully_connected(hidden, 4, activation_fn=tf.nn.softplus, scope="sigma")
    with st.value_type(st.SampleAndReshapeValue(n=SAMPLES)):
        return st.StochasticTensor(distributions.Normal, mu=mu, sigma=sigma + 1e-3, name="z")


def main(folder, steps=80):
    tf.set_random_seed(0)
    mnist = read_data_sets(folder, validation_size=40)
    x = tf.placeholder(tf.float32, [None, 784])
    q_z = inference(x)
    with tf.variable_scope("model"):
        logits = layers.linear(layers.relu(q_z * 1.0, 64), 784)
        p_x = distributions.Bernoulli(logits=logits)
    tiled = tf.tile(x, [SAMPLES, 1])
    log_likelihood = tf.reduce_sum(p_x.log_pmf(tf.round(tiled)), [1])
    prior = distributions.Normal(mu=tf.zeros(4), sigma=tf.ones(4))
    kl = tf.reduce_sum(distributions.kl(q_z.distribution, prior), [1])
    loss = sg.surrogate_loss([-log_likelihood]) + tf.tile(kl, [SAMPLES])
    cost = tf.reduce_mean(loss)
    train_op = layers.optimize_loss(
        cost, tf.contrib.framework.get_or_create_global_step(), 0.003, "Adam"
    )
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return [
            sess.run(train_op, {x: mnist.train.next_batch(50)[0]}) for _ in range(steps)
        ]


if __name__ == "__main__":
    print(main(sys.argv[1])[-1])
