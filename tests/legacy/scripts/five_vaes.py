# ruff: noqa - old ways are the point of this file
# Runs the five autoencoders beside it, each in a graph of its own: five_vaes.py FOLDER-OF-DIGITS
import sys

import tensorflow as tf

for name in sys.argv[2:]:
    with tf.Graph().as_default():
        costs = __import__(name).main(sys.argv[1])
    print(name, costs[0], min(costs[-6:]))
