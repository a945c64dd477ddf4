# The variational autoencoder of a 2017 course, as its students wrote it down: a stochastic tensor
# where there is one, the reparameterisation otherwise (and with the argument "reparameterised").
from __future__ import print_function, division
from builtins import range, input

import sys

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import util

st = None
if "reparameterised" not in sys.argv:
    try:
        st = tf.contrib.bayesflow.stochastic_tensor
    except:
        pass

Normal = tf.contrib.distributions.Normal
Bernoulli = tf.contrib.distributions.Bernoulli


class Layer(object):
    def __init__(self, n_in, n_out, activation=tf.nn.relu):
        self.W = tf.Variable(tf.random_normal(shape=(n_in, n_out)) * 2 / np.sqrt(n_in))
        self.b = tf.Variable(np.zeros(n_out).astype(np.float32))
        self.activation = activation

    def forward(self, x):
        return self.activation(tf.matmul(x, self.W) + self.b)


def through(layers, x):
    for layer in layers:
        x = layer.forward(x)
    return x


class Autoencoder:
    def __init__(self, D, hidden, M):
        self.X = tf.placeholder(tf.float32, shape=(None, D))
        encoder = [Layer(D, hidden), Layer(hidden, 2 * M, lambda x: x)]
        decoder = [Layer(M, hidden), Layer(hidden, D, lambda x: x)]

        out = through(encoder, self.X)
        self.means = out[:, :M]
        self.stddev = tf.nn.softplus(out[:, M:]) + 1e-6
        prior = Normal(loc=np.zeros(M, dtype=np.float32), scale=np.ones(M, dtype=np.float32))
        if st is None:
            e = prior.sample(tf.shape(self.means)[0])
            self.Z = e * self.stddev + self.means
            kl = -tf.log(self.stddev) + 0.5 * (self.stddev ** 2 + self.means ** 2) - 0.5
        else:
            with st.value_type(st.SampleValue()):
                self.Z = st.StochasticTensor(Normal(loc=self.means, scale=self.stddev))
            kl = tf.contrib.distributions.kl_divergence(self.Z.distribution, prior)
        self.kl = tf.reduce_sum(kl, 1)

        logits = through(decoder, self.Z)
        self.X_hat = Bernoulli(logits=logits)
        self.reconstruction = self.X_hat.sample()
        self.dreamt = Bernoulli(logits=through(decoder, prior.sample(1))).sample()

        log_likelihood = tf.reduce_sum(self.X_hat.log_prob(self.X), 1)
        self.elbo = tf.reduce_sum(log_likelihood - self.kl)
        self.train_op = tf.train.RMSPropOptimizer(learning_rate=0.001).minimize(-self.elbo)

        self.session = tf.InteractiveSession()
        self.session.run(tf.global_variables_initializer())

    def fit(self, X, epochs, batch):
        costs = []
        n_batches = len(X) // batch
        print("n_batches:", n_batches)
        for i in range(epochs):
            np.random.shuffle(X)
            for j in range(n_batches):
                feed = {self.X: X[j * batch:(j + 1) * batch]}
                _, c = self.session.run((self.train_op, self.elbo), feed_dict=feed)
                costs.append(c / batch)
        plt.plot(costs)
        plt.show()
        print("first %.1f last %.1f" % (np.mean(costs[:5]), np.mean(costs[-5:])))

    def check_kl(self, X):
        kl, means, stddev = self.session.run((self.kl, self.means, self.stddev), {self.X: X})
        formula = (-np.log(stddev) + (stddev ** 2 + means ** 2) / 2 - 0.5).sum(axis=1)
        print("kl agrees:", np.allclose(kl, formula, rtol=1e-5), "gradient reaches the encoder:",
              tf.gradients(self.elbo, self.stddev)[0] is not None)


def main():
    X, Y = util.get_mnist(320)
    X = (X > 0.5).astype(np.float32)
    model = Autoencoder(784, 50, 5)
    print("stochastic tensor:", st is not None)
    model.fit(X, 15, 32)
    model.check_kl(X[:10])
    for what, images in (("Original and sampled", lambda: (X[0], model.session.run(
            model.reconstruction, {model.X: X[:1]}))), ("Dreamt", lambda: (X[1], model.session.run(
            model.dreamt)))):
        done = False
        while not done:
            for place, image in enumerate(images()):
                plt.subplot(1, 2, place + 1)
                plt.imshow(image.reshape(28, 28), cmap="gray")
                plt.title(what)
            plt.show()
            answer = input("Another one?")
            if answer and answer[0] in ("n" or "N"):
                done = True
    print("finished", what)


if __name__ == "__main__":
    main()
