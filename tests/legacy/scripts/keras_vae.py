# A VAE of Keras's own heyday: standalone Keras with its backend, and TensorFlow's beside it.
from __future__ import print_function

import keras
import numpy as np
import tensorflow as tf
from keras import backend as K
from keras import objectives
from keras.datasets import mnist
from keras.engine.topology import Layer
from keras.layers import Input, Lambda, add, multiply
from keras.layers.core import Dense
from keras.models import Model
from keras.utils import np_utils

D, H, M = 784, 32, 2
print('TensorFlow version: ' + K.tf.__version__)
print(K.tf is tf, tf.keras.layers.Dense is Dense, keras.layers.core is keras.layers)


class KL(Layer):
    def call(self, inputs):
        mu, log_var = inputs
        kl = -.5 * K.sum(1 + log_var - K.square(mu) - K.exp(log_var), axis=-1)
        self.add_loss(K.mean(kl), inputs=inputs)
        return inputs


def negative_log_likelihood(y_true, y_pred):
    return K.sum(K.binary_crossentropy(y_true, y_pred), axis=-1)


x = Input(shape=(D,))
h = Dense(H, activation='relu')(x)
mu, log_var = KL()([Dense(M)(h), Dense(M)(h)])
sigma = Lambda(lambda t: K.exp(.5 * t))(log_var)
eps = Input(tensor=K.random_normal(shape=(K.shape(x)[0], M)))
z = add([mu, multiply([sigma, eps])])
decoded = Dense(D, activation='sigmoid')(Dense(H, activation='relu')(z))
vae = Model(inputs=[x, eps], outputs=decoded)
vae.compile(optimizer='rmsprop', loss=negative_log_likelihood)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
print(x_train.shape, x_train.dtype, np_utils.to_categorical(y_train, 10).shape)
x_train = (x_train.reshape(-1, D) / 255.).round()
loss = vae.fit(x_train, x_train, epochs=8, batch_size=20, verbose=0).history['loss']
print('first %.1f last %.1f' % (loss[0], loss[-1]))
print(Model(x, mu).predict(x_test.reshape(-1, D) / 255.).shape, type(K.get_session()).__name__)
