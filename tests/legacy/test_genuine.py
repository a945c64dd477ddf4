"""What runs is TensorFlow 1's own code where it lives now, and nothing outside notices.

The numbers are those of a genuine TensorFlow 1.15.5.
"""

import importlib
import sys

import numpy as np
import pytest
import tensorflow as modern

from vae_tf1.legacy import tensorflow1
from vae_tf1.legacy.machinery.genuine import PREFIX, Package


@pytest.fixture
def tf():
    with tensorflow1() as module:
        yield module


class TestWeightsAreKnown:
    def test_of_a_keras_model_that_holds_layers(self, tf):
        class Model(tf.keras.Model):
            def __init__(self):
                super().__init__()
                self.dense = tf.layers.Dense(1)

            def call(self, x):
                return self.dense(x)

        model = Model()
        model(tf.ones([2, 3]))
        assert [w.shape.as_list() for w in model.weights] == [[3, 1], [1]]
        assert tf.train.Checkpoint(model=model) is not None

    def test_of_stacked_cells(self, tf):
        cells = tf.nn.rnn_cell
        stacked = cells.MultiRNNCell([cells.BasicLSTMCell(3), cells.LSTMCell(3), cells.GRUCell(2)])
        tf.nn.dynamic_rnn(stacked, tf.ones([2, 3, 4]), dtype=tf.float32)
        assert len(stacked.weights) == 8

    def test_of_a_layer_in_eager_mode(self):
        with tensorflow1() as tf:
            tf.enable_eager_execution()
            layer = tf.layers.Dense(1)
            layer(tf.ones([2, 3]))
            assert len(layer.trainable_variables) == 2


class TestContribLosses:
    def test_their_own_conventions(self, tf):
        losses = tf.contrib.losses
        predictions = tf.constant([[0.0, 1.0], [2.0, 5.0]])
        labels = tf.constant([[1.0, 1.0], [0.0, 3.0]])
        pairwise = losses.mean_pairwise_squared_error(predictions, labels)
        hinge = losses.hinge_loss(predictions, tf.constant([[0.0, 1.0], [1.0, 1.0]]))
        squared = losses.mean_squared_error(predictions, labels, weights=tf.constant([1.0, 2.0]))
        assert tf.losses.get_losses() == [pairwise, squared]  # not hinge_loss
        with tf.Session() as session:
            assert session.run(pairwise) == 0.5
            np.testing.assert_array_equal(session.run(hinge), [[1, 0], [0, 0]])
            assert session.run(squared) == 4.25


class TestSlimLearning:
    def train(self, tf, folder, epochs=None, steps=None):
        slim = tf.contrib.slim
        with tf.Graph().as_default():
            x = tf.constant([1.0])
            x = x if epochs is None else tf.train.limit_epochs(x, epochs)
            w = tf.get_variable("w", initializer=8.0)
            loss = slim.losses.absolute_difference(x * tf.reshape(w, [1]), tf.zeros([1]))
            op = slim.learning.create_train_op(loss, tf.train.GradientDescentOptimizer(1.0))
            return slim.learning.train(
                op, str(folder), number_of_steps=steps, log_every_n_steps=0,
                local_init_op=tf.local_variables_initializer(),
            )  # fmt: skip

    @pytest.mark.filterwarnings("ignore:Attempting to use a closed FileWriter")
    def test_an_input_that_ends_leaves_the_final_model_and_a_second_run_its_loss(
        self, tf, tmp_path
    ):
        assert self.train(tf, tmp_path, epochs=7) == pytest.approx(2.0, abs=1.0)
        assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-7")
        # With the limit reached, the loss is evaluated rather than None.
        assert self.train(tf, tmp_path, steps=7) == 1.0


class TestSmallThings:
    def test_split_of_integers_of_any_shape(self, tf):
        assert len(tf.split(tf.placeholder(tf.int32), 2, 0)) == 2
        assert tf.split(tf.placeholder(tf.int32, [4]), 2, 0)[0].shape == [2]

    def test_layers_of_a_list(self, tf):
        assert tf.contrib.layers.linear([[1.0, 2.0]], 3).shape == [1, 3]
        assert tf.contrib.layers.flatten([[[1.0], [2.0]]]).shape == [1, 2]

    def test_asking_for_a_name_is_not_an_error(self, tf):
        for place in (tf, tf.layers, tf.nn.rnn_cell, tf.keras, tf.contrib.layers, tf.contrib.slim):
            assert not hasattr(place, "nonsense")

    def test_the_nearest_name_of_genuine_code(self, tf):
        with pytest.raises(AttributeError, match=r"nearest name is tensorflow\.layers\.dense$"):
            tf.layers.dens  # noqa: B018
        with pytest.raises(AttributeError, match=r"tensorflow\.contrib\.layers\.fully_connected$"):
            tf.contrib.layers.fully_conected  # noqa: B018

    def test_an_integer_flag_may_be_a_float(self, tf):
        tf.app.flags.DEFINE_integer("of_test_genuine", 1e3, "steps")
        assert tf.app.flags.FLAGS["of_test_genuine"].value == 1000.0

    def test_the_size_of_a_model(self, tf):
        tf.layers.dense(tf.ones([1, 4]), 3)
        analyzer = tf.contrib.slim.model_analyzer
        assert analyzer.analyze_vars(tf.trainable_variables(), print_info=False) == (15, 60)

    def test_hparams(self, tf):
        h = tf.contrib.training.HParams(rate=0.1, sizes=[2, 1], name="vae")
        assert str(h) == "rate=0.1,sizes=[2, 1],name=vae"
        assert repr(h) == "HParams([('name', 'vae'), ('rate', 0.1), ('sizes', [2, 1])])"
        h.set_hparam("rate", 1)
        assert type(h.rate) is float
        with pytest.raises(ValueError, match="Could not cast hparam 'rate'"):
            h.set_hparam("rate", "1")


class TestMovedInternals:
    def test_they_are_found_where_they_were(self, tf):
        from tensorflow.contrib.framework.python.ops import arg_scope as function
        from tensorflow.contrib.framework.python.ops.arg_scope import add_arg_scope
        from tensorflow.contrib.layers.python.layers import utils
        from tensorflow.contrib.rnn.python.ops import core_rnn_cell
        from tensorflow.contrib.slim.python.slim.nets import inception_v3
        from tensorflow.python.framework import ops
        from tensorflow.python.ops import array_ops, control_flow_ops, rnn_cell
        from tensorflow.python.util import nest

        assert ops.Tensor is modern.Tensor
        assert array_ops.stack is modern.compat.v1.stack
        assert control_flow_ops.while_loop is not None
        assert nest.is_sequence([1])
        assert function is tf.contrib.slim.arg_scope
        assert add_arg_scope is tf.contrib.slim.add_arg_scope
        assert utils.collect_named_outputs is not None
        assert rnn_cell.BasicLSTMCell is tf.nn.rnn_cell.BasicLSTMCell
        assert core_rnn_cell.LSTMCell is tf.nn.rnn_cell.LSTMCell
        assert inception_v3.inception_v3_base is not None
        assert ops.get_default_graph() is tf.get_default_graph()

    def test_a_missing_module_says_so(self, tf):
        with pytest.raises(ModuleNotFoundError, match=r"tensorflow\.contrib\.no_such_module"):
            importlib.import_module("tensorflow.contrib.no_such_module")
        with pytest.raises(ImportError, match="cannot import name 'no_such_name'"):
            from tensorflow.python.framework.ops import no_such_name  # noqa: F401


class TestNothingOutsideNotices:
    def test_tf_slim_is_loaded_beside_the_process_s_own(self, tf):
        pytest.importorskip("tf_slim")
        genuine = tf.contrib.slim.conv2d
        import tf_slim as of_an_old_script

        assert of_an_old_script.conv2d is genuine
        assert sys.modules.get("tf_slim") is not sys.modules[f"{PREFIX}tf_slim"]

    def test_attributes_of_tensorflow_s_modules_stay(self):
        from tensorflow.python.framework import ops
        from tensorflow.python.ops import array_ops

        before = [{**vars(module)} for module in (ops, array_ops, modern.nn)]
        with tensorflow1() as tf:
            tf.contrib.slim.fully_connected(tf.ones([1, 2]), 2)
        assert [{**vars(module)} for module in (ops, array_ops, modern.nn)] == before
        assert not hasattr(ops, "IndexedSlices")

    def test_keras_3_goes_on_working(self):
        layer = modern.keras.layers.Dense(2)
        layer(np.ones((1, 3), np.float32))
        with tensorflow1() as tf:
            tf.layers.dense(tf.ones([1, 3]), 2)
        assert modern.keras.layers.Dense(2)(np.ones((1, 3), np.float32)).shape == (1, 2)
        assert len(layer.weights) == 2

    def test_a_missing_package_is_one_sentence(self):
        missing = Package("no_such_package", lambda: None, "it takes: pip install it")
        with pytest.raises(ModuleNotFoundError, match=r"^it takes: pip install it$"):
            missing.load("no_such_package.layers")
