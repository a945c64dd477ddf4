"""Old modules find in NumPy, in the standard library and in Python 2 what they had in 2017."""

import re
import textwrap

import numpy as np
import pytest

from vae_tf1.legacy import tensorflow1
from vae_tf1.legacy.machinery.hooks import Territory
from vae_tf1.legacy.machinery.source import parse


def run(source, python2=False, path="old_module.py"):
    """Run an old module and return its names."""
    data = textwrap.dedent(source).encode()
    with tensorflow1():
        tree, is_python2 = parse(data, path, python2=python2)
        names = {"__name__": "old_module", "__file__": path}
        exec(compile(tree, path, "exec", dont_inherit=True), names)
    return names | {"is_python2": is_python2}


class TestArraysOfOneElement:
    def test_are_numbers(self):
        names = run("""
            import math
            import numpy as np
            one = np.array([[2.5]])
            numbers = int(one), float(one), complex(one), math.floor(one)
            to_three = list(range(np.array([3])))
            text = '%d %.2f %s' % (one, one, 7), '%.1f' % one, '%(a)s' % {'a': 1}
            kept = '%s' % np.array([1, 2]), '%s' % (np.array([1, 2]),)
        """)
        assert names["numbers"] == (2, 2.5, 2.5 + 0j, 2)
        assert names["to_three"] == [0, 1, 2]
        assert names["text"] == ("2 2.50 7", "2.5", "1")
        assert names["kept"] == ("[1 2]", "[1 2]")

    def test_are_indices_of_lists_but_not_of_arrays(self):
        names = run("""
            import numpy as np
            words, array = ['a', 'b', 'c'], np.arange(3) * 10
            place = np.array([2])
            picked = words[place], words[np.argmax(array, keepdims=True)]
            of_array = array[place]
            words[place[0]] = 'z'
        """)
        assert names["picked"] == ("c", "c")
        assert names["of_array"].tolist() == [20]
        assert names["words"] == ["a", "b", "z"]

    def test_are_sizes_as_in_the_mnist_reader_of_2015(self):
        names = run("""
            import io
            import numpy

            def _read32(bytestream):
                dt = numpy.dtype(numpy.uint32).newbyteorder('>')
                return numpy.frombuffer(bytestream.read(4), dtype=dt)

            stream = io.BytesIO(bytes([0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(6)))
            rows, cols = _read32(stream), _read32(stream)
            buf = stream.read(rows * cols)
            data = numpy.frombuffer(buf, dtype=numpy.uint8).reshape(rows, cols, 1)
            zeros = numpy.zeros((rows, 4))
        """)
        assert names["data"].shape == (2, 3, 1)
        assert names["zeros"].shape == (2, 4)

    def test_a_module_without_arrays_is_left_as_it_is(self):
        source = b"x = int('3')\ny = '%d' % x\n"
        tree, _ = parse(source, "plain.py")
        assert compile(tree, "p", "exec").co_names == ("int", "x", "y")


class TestNamesAndMethodsOfNumPy1:
    def test_removed_methods_of_arrays(self):
        names = run("""
            import numpy as np
            a = np.array([[1, 5], [2, 3]], np.uint8)
            raw, spread = a.tostring(), a.ptp()
            a.itemset((0, 1), 9)
            swapped = np.array([1], np.uint16).newbyteorder()
            class Element:
                def tostring(self):
                    return 'own'
            own = Element().tostring()
        """)
        assert names["raw"] == bytes([1, 5, 2, 3])
        assert names["spread"] == 4
        assert names["a"][0, 1] == 9
        assert names["swapped"].tolist() == [256]
        assert names["own"] == "own"

    def test_cast_sctypes_and_load(self, tmp_path):
        path = tmp_path / "objects.npy"
        np.save(path, np.array([{"a": 1}, None], object), allow_pickle=True)
        names = run(f"""
            import numpy as np
            cast = np.cast[np.float32]([1, 2]), np.cast['int32'](2.7)
            floats = np.float32 in np.sctypes['float']
            loaded = np.load({str(path)!r})
        """)
        assert [c.dtype for c in names["cast"]] == [np.float32, np.int32]
        assert names["floats"]
        assert names["loaded"][0] == {"a": 1}

    def test_numbers_print_as_they_did_and_only_meanwhile(self, capsys):
        run("""
            import tensorflow as tf
            with tf.Session() as sess:
                print(sess.run([tf.constant(1.5), tf.constant(2)]))
        """)
        assert capsys.readouterr().out == "[1.5, 2]\n"
        assert repr(np.float32(1.5)) == "np.float32(1.5)"


class TestTheStandardLibraryOf2017:
    def test_removed_names(self):
        names = run("""
            import collections
            import inspect, time
            from collections import Iterable, namedtuple
            from fractions import gcd
            found = (issubclass(dict, collections.MutableMapping), isinstance([], Iterable),
                     gcd(12, 18), time.clock() > 0)
            spec = inspect.getargspec(lambda a, b=1, *c: a)
            kept = collections.OrderedDict(a=1), namedtuple('P', 'x')(3).x
        """)
        assert names["found"] == (True, True, 6, True)
        assert names["spec"] == (["a", "b"], "c", None, (1,))
        assert names["kept"] == ({"a": 1}, 3)

    @pytest.mark.parametrize("call", ["open({!r}, 'w', 0)", "open({!r}, 'w', buffering=0)"])
    def test_text_without_a_buffer_is_buffered_by_lines(self, tmp_path, call):
        path = tmp_path / "log.txt"
        names = run(f"import numpy\nlog = {call.format(str(path))}\nlog.write('one\\n')\n")
        assert path.read_text() == "one\n"
        names["log"].close()


class TestPython2:
    @pytest.mark.parametrize(
        "sign",
        ["import sys\nprint >>sys.stderr, 'x'\n", "print\n", "execfile('x.py') if 0 else 0\n"],
    )
    def test_one_sign_is_enough(self, sign):
        assert parse(sign.encode(), "signs.py")[1]
        assert not parse(b"print('x')\ny = 8 >> 2\nprint\\\n('z')\n", "no_signs.py")[1]

    def test_what_is_a_keyword_now_may_be_imported(self):
        names = run("from __builtin__ import False\nmode = 0700\nprint mode\n")
        assert names["mode"] == 0o700

    def test_code_that_is_run_is_python_2_too(self, tmp_path):
        path = tmp_path / "settings.py"
        path.write_text("half = 7 / 2\nprint 'read'\n")
        names = run(
            f"""
            import numpy as np
            execfile({str(path)!r})
            exec "third = 10 / 3; print third"
            space = {{}}
            exec "quarter = 9 / 4" in space
            def inner():
                execfile({str(path)!r}, space)
            inner()
            """
        )
        assert (names["half"], names["third"]) == (3, 3)
        assert (names["space"]["quarter"], names["space"]["half"]) == (2, 3)

    def test_what_sorts_compares_only_if_it_is_a_list(self):
        names = run("""
            import numpy as np
            print "sorted"
            a = np.sort(np.array([3, 1, 2]))
            rows = np.array([[3, 1], [2, 9]])
            rows.sort(0)
            words = ['bb', 'a', 'ccc']
            words.sort(lambda x, y: cmp(len(y), len(x)))
            by_two = sorted([3, 1, 2], lambda x, y: cmp(y, x)), sorted('ba', key=ord, reverse=True)
        """)
        assert names["a"].tolist() == [1, 2, 3]
        assert names["rows"].tolist() == [[2, 1], [3, 9]]
        assert names["words"] == ["ccc", "bb", "a"]
        assert names["by_two"] == ([3, 2, 1], ["b", "a"])

    def test_an_import_function_of_the_scripts_own_may_pass_python_2s_level(self):
        names = run("""
            import __builtin__
            found = __builtin__.__import__
            def own(name, globals=None, locals=None, fromlist=(), level=-1):
                return found(name, globals, locals, fromlist, level)
            __builtin__.__import__ = own
            try:
                import tensorflow as tf
                print tf.placeholder
            finally:
                __builtin__.__import__ = found
        """)
        assert names["is_python2"]
        assert re.search(r"vae_tf1\.legacy", repr(names["tf"]))

    def test_packages_elsewhere_on_the_path_are_not_the_scripts_own(self, tmp_path):
        territory = Territory(elsewhere=[tmp_path / "others"])
        assert not territory.owns(str(tmp_path / "others" / "package" / "__init__.py"))
        assert territory.owns(str(tmp_path / "script" / "model.py"))
