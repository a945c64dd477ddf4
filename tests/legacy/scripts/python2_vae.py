# Python 2, without a thought of what was to come.
import cPickle, gzip
import os, sys, urllib2
import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data
import python2_helper as helper
from python2_package import nested

flags = tf.app.flags
flags.DEFINE_integer("batch", 32, "images a step")
FLAGS = flags.FLAGS

def encode((x, n_in), n_out):
    W = tf.Variable(tf.truncated_normal([n_in, n_out], stddev=0.1))
    return tf.matmul(x, W)

def main(argv):
    mnist = input_data.read_data_sets("digits/", one_hot=True, validation_size=20)
    n_batches = mnist.train.num_examples / FLAGS.batch
    print "batches", n_batches, helper.half(7), nested.third(7)
    x = tf.placeholder("float", [None, 784])
    recon = encode((tf.nn.tanh(encode((x, 784), 20)), 20), 784)
    loss = tf.reduce_mean(tf.square(recon - x))
    step = tf.train.AdamOptimizer(0.01).minimize(loss)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    losses = []
    for epoch in xrange(3):
        for i in xrange(n_batches):
            batch, labels = mnist.train.next_batch(FLAGS.batch)
            assert labels.shape == (FLAGS.batch, 10)
            losses.append(session.run([step, loss], {x: batch})[1])
    print "falls", losses[-1] < losses[0], "epochs", mnist.train.epochs_completed
    d = {"a": 1}
    for k, v in d.iteritems(): print >>sys.stdout, k, v,
    print
    name = raw_input("your name? ")
    print "hello", unicode(name), d.has_key("b")
    try:
        raise ValueError, "as of old"
    except ValueError, e:
        print "caught", e
    sys.exit(3 / 2)

if __name__ == "__main__":
    tf.app.run()
