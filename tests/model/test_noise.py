"""Noise and order are functions of where they are used."""

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from vae_tf1.model import noise
from vae_tf1.model.noise import Stream

KEY = noise.key(3, Stream.EPSILON)


def draw(step, shape, draw=0, key=KEY):
    as_int64 = [tf.constant(n, tf.int64) for n in (key, step)]
    return noise.standard_normal(*as_int64, tf.constant(draw, tf.int64), shape).numpy()


@pytest.mark.parametrize("batch_and_width", [(4, 5), (3, 7), (1, 1)])
def test_a_steps_noise_does_not_depend_on_how_many_are_drawn_together(batch_and_width):
    together = draw(5, (9, *batch_and_width))
    for i in range(9):
        np.testing.assert_array_equal(draw(5 + i, (1, *batch_and_width))[0], together[i])
    np.testing.assert_array_equal(draw(7, (3, *batch_and_width)), together[2:5])


def test_step_draw_key_and_batch_size_each_give_other_noise():
    base = draw(5, (1, 4, 6))
    for other in (
        draw(6, (1, 4, 6)),
        draw(5, (1, 4, 6), draw=1),
        draw(5, (1, 4, 6), draw=noise.EVALUATION),
        draw(5, (1, 4, 6), key=noise.key(4, Stream.EPSILON)),
        draw(5, (1, 5, 6)),
    ):
        assert not np.isin(base, other).any()


def test_it_is_standard_normal():
    sample = draw(0, (100, 20, 50)).ravel()
    assert stats.kstest(sample, "norm").pvalue > 1e-3
    assert sample.mean() == pytest.approx(0, abs=4 / np.sqrt(sample.size))
    assert sample.var() == pytest.approx(1, abs=4 * np.sqrt(2 / sample.size))


def test_the_quantiles_of_a_uniform_draw_are_standard_normal_and_finite():
    as_int64 = [tf.constant(n, tf.int64) for n in (KEY, 0, noise.EVALUATION)]
    sample = noise.normal_quantile(noise.uniform(*as_int64, (100, 20, 50))).numpy().ravel()
    assert stats.kstest(sample, "norm").pvalue > 1e-3
    least, most = np.float32([0, 1 - 2.0**-23])
    extremes = noise.normal_quantile(tf.constant([least, most])).numpy()
    np.testing.assert_allclose(extremes, stats.norm.ppf([2.0**-24, 1 - 2.0**-24]), rtol=1e-6)


def test_the_stream_is_pinned():
    """Old checkpoints resume to the same bits: the generator never changes."""
    assert KEY == 9221857584964276806
    assert noise.minibatch_order(0, 0, 8).tolist() == [2, 5, 3, 1, 0, 7, 6, 4]
    expected = [[0.59339517, -1.2366738], [-1.8417083, 0.59788626]]
    np.testing.assert_allclose(draw(5, (1, 2, 2))[0], expected, rtol=1e-6)


def test_the_order_of_an_epoch_is_a_permutation():
    orders = [noise.minibatch_order(seed, epoch, 100) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order) == list(range(100))
    assert len({tuple(order) for order in orders}) == 4
    np.testing.assert_array_equal(noise.minibatch_order(0, 1, 100), orders[1])


def test_seeds_and_purposes_have_streams_of_their_own():
    keys = {noise.key(seed, stream) for seed in range(50) for stream in Stream}
    assert len(keys) == 50 * len(Stream)
    assert all(0 <= key < 2**63 for key in keys)
    assert 0 <= noise.op_seed(1, Stream.SAMPLES) < 2**31


@pytest.mark.parametrize(("batch", "width"), [(8, 3), (7, 5), (16, 4)])
def test_some_rows_of_a_step_have_the_bits_that_they_have_in_the_whole(batch, width):
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        key, step = (tf.constant(n, tf.int64) for n in (7, 1234))
        whole = noise.standard_normal(key, step, 0, (1, batch, width))[0]
        cuts = [0, 1, batch // 3, batch // 2 + 1, batch]
        parts = [
            noise.standard_normal_rows(key, step, 0, (batch, width), slice(start, stop))
            for start, stop in pairwise(cuts)
        ]
        expected, found = sess.run((whole, parts))
    assert np.array_equal(np.concatenate(found), expected)
