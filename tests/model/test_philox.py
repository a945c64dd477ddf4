"""Philox in TensorFlow's ops: the published words, and those of TensorFlow's kernel."""

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1.model import philox

# kat_vectors of Random123, philox4x32 with 10 rounds: counter, key, words
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


def int64(low, high):
    return np.uint64(low + (high << 32)).astype(np.int64)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter, key, expected):
    words = philox.words(int64(*key), int64(*counter[:2]), int64(*counter[2:]))
    assert [int(word) for word in words] == expected


def test_the_words_are_those_of_tensorflows_kernel():
    low, high, key = 2**40 + 2**32 - 3, 12345, 987654321012345
    lows = tf.range(low, low + 6, dtype=tf.int64)
    words = tf.stack(philox.words(tf.constant(key, tf.int64), lows, tf.zeros_like(lows) + high), 1)
    expected = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[6, 4],
        key=tf.constant([key], tf.uint64),
        counter=tf.constant([low, high], tf.uint64),
        alg=1,
        dtype=tf.uint32,
    )
    np.testing.assert_array_equal(words, expected)
