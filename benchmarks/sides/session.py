# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""The original's way, line by line: a session, a feed and a Python step for every minibatch."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.problem import D, Problem

v1 = tf.compat.v1


class SessionPerStep:
    """The script of 2017 with `tf` spelled `tf.compat.v1`; its prints and its plot left out."""

    def __init__(self, problem: Problem) -> None:
        v1.disable_eager_execution()
        v1.logging.set_verbosity(v1.logging.ERROR)
        self.batch_sz = problem.batch_sz
        self.shuffled = problem.images().astype(np.float32)
        weights = [(v1.Variable(W), v1.Variable(b)) for W, b in problem.weights()]
        M, depth = problem.M, problem.encoder_depth

        def layers(value, pairs):
            *hidden, (W, b) = pairs
            for W_hidden, b_hidden in hidden:
                value = tf.nn.relu(tf.matmul(value, W_hidden) + b_hidden)
            return tf.matmul(value, W) + b

        self.X = v1.placeholder(tf.float32, shape=(None, D))
        encoded = layers(self.X, weights[:depth])
        means = encoded[:, :M]
        stddev = tf.nn.softplus(encoded[:, M:]) + 1e-6
        standard_normal = v1.distributions.Normal(
            loc=np.zeros(M, dtype=np.float32), scale=np.ones(M, dtype=np.float32)
        )
        self.epsilon = standard_normal.sample(tf.shape(means)[0])
        logits = layers(self.epsilon * stddev + means, weights[depth:])
        X_hat_distribution = v1.distributions.Bernoulli(logits=logits)
        kl = -tf.math.log(stddev) + 0.5 * (stddev**2 + means**2) - 0.5
        kl = tf.reduce_sum(kl, axis=1)
        expected_log_likelihood = tf.reduce_sum(X_hat_distribution.log_prob(self.X), 1)
        self.elbo = tf.reduce_sum(expected_log_likelihood - kl)
        self.train_op = v1.train.RMSPropOptimizer(learning_rate=0.001).minimize(-self.elbo)
        self.sess = v1.Session()
        self.sess.run(v1.global_variables_initializer())

    def replay(self, images: np.ndarray, epsilon: np.ndarray) -> np.ndarray:
        fetches = (self.train_op, self.elbo)
        return np.array(
            [
                self.sess.run(fetches, {self.X: x, self.epsilon: e})[1] / self.batch_sz
                for x, e in zip(images.astype(np.float32), epsilon, strict=True)
            ]
        )

    def epoch(self) -> float:
        np.random.shuffle(self.shuffled)  # noqa: NPY002 - the original's
        costs = []
        for j in range(len(self.shuffled) // self.batch_sz):
            batch = self.shuffled[j * self.batch_sz : (j + 1) * self.batch_sz]
            _, c = self.sess.run((self.train_op, self.elbo), feed_dict={self.X: batch})
            costs.append(c / self.batch_sz)
        return float(np.mean(costs))
