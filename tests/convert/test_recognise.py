"""Layers are found by names, shapes and order; what cannot be told is asked for, not guessed."""

from pathlib import Path

import pytest
import tensorflow as tf

from vae_tf1.convert.recognise import recognise
from vae_tf1.convert.tensors import Checkpoint, Tensor
from vae_tf1.errors import ConversionError


def checkpoint(**shapes):
    """Return an index with these shapes; "__" stands for "/" and the order is as given."""
    tensors = [
        Tensor(name.replace("__", "/"), shape, tf.float32, None) for name, shape in shapes.items()
    ]
    return Checkpoint(Path("model.ckpt"), "V2", tuple(tensors), "", None)


def numbered(*shapes, biases=True):
    """Return matrices and their biases under TF1's default names."""
    entries = {}
    for shape in shapes:
        for part in (shape, shape[1:]) if biases else (shape,):
            entries[f"Variable_{len(entries)}" if entries else "Variable"] = part
    return checkpoint(**entries)


def names(found):
    return [[layer.W for layer in part] for part in (found.encoder, found.decoder)]


def biases(found):
    return [b for part in (found.encoder, found.decoder) for layer in part for b in layer.b]


def test_the_original_script():
    found = recognise(numbered((784, 200), (200, 200), (100, 200), (200, 784)))
    assert names(found) == [[("Variable",), ("Variable_2",)], [("Variable_4",), ("Variable_6",)]]
    assert biases(found) == ["Variable_1", "Variable_3", "Variable_5", "Variable_7"]
    assert (found.D, found.M, found.stddev) == (784, 100, "softplus")


@pytest.mark.parametrize("D", [4, 24, 784])
@pytest.mark.parametrize("hidden", [[], [50], [50, 50], [30, 10], [4, 4, 4]])
@pytest.mark.parametrize("M", [1, 2, 4, 25])
def test_any_sizes_in_order_of_their_numbers(D, hidden, M):
    """The chain can be cut at each of its layers; the numbers tell where it begins."""
    encoder = list(zip([D, *hidden], [*hidden, 2 * M], strict=True))
    decoder = list(zip([M, *hidden[::-1]], [*hidden[::-1], D], strict=True))
    found = recognise(numbered(*encoder, *decoder))
    assert (found.D, found.M) == (D, M)
    assert [layer.shape for layer in found.encoder] == encoder
    assert [layer.shape for layer in found.decoder] == decoder
    order = [name for part in names(found) for (name,) in part]
    assert order == sorted(order, key=lambda name: int(name[9:] or 0))


def test_the_layers_of_tf_layers_with_a_decoder_that_is_no_mirror():
    found = recognise(
        checkpoint(
            dense__bias=(64,),
            dense__kernel=(30, 64),
            dense_1__bias=(6,),
            dense_1__kernel=(64, 6),
            dense_2__bias=(40,),
            dense_2__kernel=(3, 40),
            dense_3__bias=(64,),
            dense_3__kernel=(40, 64),
            dense_4__bias=(30,),
            dense_4__kernel=(64, 30),
        )
    )
    assert names(found) == [
        [("dense/kernel",), ("dense_1/kernel",)],
        [("dense_2/kernel",), ("dense_3/kernel",), ("dense_4/kernel",)],
    ]
    assert biases(found) == [f"dense{i}/bias" for i in ("", "_1", "_2", "_3", "_4")]


def test_scopes_of_encoder_and_decoder_in_alphabetical_order():
    found = recognise(
        checkpoint(
            decoder__fc1__biases=(50,),
            decoder__fc1__weights=(10, 50),
            decoder__out__biases=(20,),
            decoder__out__weights=(50, 20),
            encoder__fc1__biases=(50,),
            encoder__fc1__weights=(20, 50),
            encoder__fc2__biases=(20,),
            encoder__fc2__weights=(50, 20),
        )
    )
    assert names(found) == [
        [("encoder/fc1/weights",), ("encoder/fc2/weights",)],
        [("decoder/fc1/weights",), ("decoder/out/weights",)],
    ]


@pytest.mark.parametrize(
    ("mean", "spread", "stddev"),
    [
        ("z_mean", "z_log_var", "exp_half"),
        ("mu", "logvar", "exp_half"),
        ("out_mean", "out_log_sigma_sq", "exp_half"),
        ("loc", "log_scale", "exp"),
        ("z_mean", "z_log_sigma", "exp"),
        ("means", "stddev", "softplus"),
        ("zMean", "zLogVar", "exp_half"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_two_heads(mean, spread, stddev, swapped):
    heads = {f"{mean}__W": (50, 5), f"{mean}__b": (5,), f"{spread}__W": (50, 5)}
    heads[f"{spread}__b"] = (5,)
    items = list(heads.items())
    heads = dict(items[2:] + items[:2]) if swapped else heads
    found = recognise(
        checkpoint(
            enc_h__W=(30, 50),
            enc_h__b=(50,),
            **heads,
            dec_h__W=(5, 50),
            dec_h__b=(50,),
            dec_out__W=(50, 30),
            dec_out__b=(30,),
        )
    )
    assert names(found)[0] == [("enc_h/W",), (f"{mean}/W", f"{spread}/W")]
    assert found.encoder[-1].b == (f"{mean}/b", f"{spread}/b")
    assert found.stddev == stddev
    assert found.encoder[-1].shape == (50, 10)


def test_biases_listed_after_all_weights_are_found_by_width_and_order():
    shapes = [(30, 50), (50, 10), (5, 50), (50, 30), (50,), (10,), (50,), (30,)]
    entries = {f"Variable_{i}" if i else "Variable": shape for i, shape in enumerate(shapes)}
    found = recognise(checkpoint(**entries))
    assert biases(found) == ["Variable_4", "Variable_5", "Variable_6", "Variable_7"]


def test_weights_and_biases_named_alike():
    found = recognise(
        checkpoint(
            W1=(30, 50),
            W2=(50, 10),
            W3=(5, 50),
            W4=(50, 30),
            b4=(30,),
            b3=(50,),
            b2=(10,),
            b1=(50,),
        )
    )
    assert biases(found) == ["b1", "b2", "b3", "b4"]


def test_layers_without_biases():
    found = recognise(numbered((30, 50), (50, 10), (5, 50), (50, 30), biases=False))
    assert biases(found) == [None] * 4


class TestLayersGiven:
    @pytest.fixture
    def strange(self):
        return checkpoint(
            a=(30, 50),
            b=(50, 5),
            c=(50, 5),
            d=(5, 50),
            e=(50, 30),
            labels=(50, 10),
            one=(50,),
            two=(5,),
            three=(5,),
            four=(50,),
            five=(30,),
            ten=(10,),
        )

    def test_they_are_taken_in_that_order(self, strange):
        found = recognise(strange, ["a:four", "c:two+b:three", "d:one", "e:five"])
        assert names(found) == [[("a",), ("c", "b")], [("d",), ("e",)]]
        assert biases(found) == ["four", "two", "three", "one", "five"]

    def test_biases_that_are_not_named_are_found(self, strange):
        found = recognise(strange, ["a", "b+c", "d", "e"])
        assert biases(found) == ["one", "two", "three", "four", "five"]

    @pytest.mark.parametrize(
        ("layers", "message"),
        [
            (["a", "b+c", "d", "z"], "'z' is expected to be a matrix of model.ckpt, but is not in"),
            (["a", "b+c", "d", "one"], r"'one' is expected to be a matrix .* has shape \(50,\)"),
            (["a:two", "b+c", "d", "e"], "two has 5 values, but a has 50 columns"),
            (["a", "b", "d", "e"], "does not lead from D values to 2M and from M to D: 30×50"),
            (["a", "d", "b+c", "e"], "does not lead"),
            (["a", "b+c", "d", "d"], "names a matrix twice"),
            (["a", "b+e", "d", "e"], r"b\+e must be one matrix, or two of one shape"),
        ],
    )
    def test_what_does_not_fit_is_said(self, strange, layers, message):
        with pytest.raises(ConversionError, match=message):
            recognise(strange, layers)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (checkpoint(), "there are 0 matrices"),
        (numbered((10, 5), (5, 2)), "the shapes form no chain"),
        (checkpoint(conv=(3, 3, 1, 8), W=(30, 10), V=(5, 30)), r"conv \(3, 3, 1, 8\) is no part"),
        (
            checkpoint(W=(30, 10), V=(5, 30), b=(10,), c=(30,), norm__gamma=(17,)),
            r"norm/gamma \(17,\) is no bias",
        ),
        (checkpoint(u=(30, 10), v=(5, 30), p=(10,), q=(10,), r=(30,)), "which biases belong to u"),
        (
            checkpoint(p=(20, 20), q=(20, 10), r=(5, 20), s=(20, 20), t=(20, 20)),
            "in several ways",
        ),
    ],
)
def test_what_is_no_vae_or_ambiguous_is_refused(found, message):
    with pytest.raises(ConversionError, match=message):
        recognise(found)
