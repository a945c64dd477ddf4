"""What packages other than TensorFlow have taken away is there again, for old modules alone.

`golden/scipy_misc.npz` holds what scipy.misc of SciPy 1.1.0 made, with Pillow 9.5.0, of the arrays
that it holds as well: gray, colour, transparent, channels first, integers, bytes and constant ones,
through `bytescale`, `toimage`, `imsave` and `imread`, `imresize` in four sizes and interpolations,
`imrotate` and `imfilter`.
"""

import io
import sys
import types

import numpy as np
import pytest
from support.legacy_runs import SCRIPTS, run

from vae_tf1.legacy import families
from vae_tf1.legacy.machinery.hooks import LegacyImports, Territory

Image = pytest.importorskip("PIL.Image", reason="Pillow is an optional extra")


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "scipy_misc.npz") as file:
        return dict(file)


@pytest.fixture
def old():
    """Import as an old script does: ``old("from numpy import float")`` gives its namespace."""

    def run_lines(lines):
        space = {"__name__": "__main__"}
        exec(lines, space)
        return types.SimpleNamespace(**space)

    with LegacyImports(Territory(), lambda: None):
        yield run_lines


ARRAYS = ("gray", "rgb", "rgba", "first", "ints", "u8", "flat")


class TestScipyMisc:
    @pytest.fixture
    def misc(self):
        return families.library("scipy").misc

    @pytest.mark.parametrize("name", ARRAYS)
    def test_bytescale_and_toimage(self, misc, golden, name):
        array = golden[f"in_{name}"]
        np.testing.assert_array_equal(misc.bytescale(array), golden[f"bytescale_{name}"])
        np.testing.assert_array_equal(np.array(misc.toimage(array)), golden[f"toimage_{name}"])

    @pytest.mark.parametrize("name", [name for name in ARRAYS if name != "first"])
    def test_through_a_file(self, misc, golden, name, tmp_path):
        misc.imsave(tmp_path / "image.png", golden[f"in_{name}"])
        np.testing.assert_array_equal(misc.imread(tmp_path / "image.png"), golden[f"saved_{name}"])
        gray = misc.imread(tmp_path / "image.png", flatten=True)
        np.testing.assert_allclose(gray, golden[f"gray_{name}"], rtol=1e-6)
        rgb = misc.imread(str(tmp_path / "image.png"), mode="RGB")
        np.testing.assert_array_equal(rgb, golden[f"rgbmode_{name}"])

    @pytest.mark.parametrize("name", [name for name in ARRAYS if name != "first"])
    def test_imresize_and_imrotate(self, misc, golden, name):
        array = golden[f"in_{name}"]
        for i, size in enumerate([(9, 4), 50, 1.5, 200]):
            for interp in ("nearest", "bilinear", "bicubic", "lanczos"):
                resized = misc.imresize(array, size, interp=interp)
                expected = golden[f"resize_{name}_{i}_{interp}"]
                # Pillow itself has rounded differently since, by one level at most
                assert resized.shape == expected.shape
                assert np.abs(resized.astype(int) - expected).max() <= 1
        turned = misc.imrotate(array, 30)
        assert np.abs(turned.astype(int) - golden[f"rotate_{name}"]).max() <= 1

    def test_modes_and_ranges(self, misc, golden):
        gray = golden["in_gray"]
        scaled = misc.bytescale(gray, cmin=-1, cmax=3, high=200, low=20)
        np.testing.assert_array_equal(scaled, golden["bytescale_range"])
        for mode in "FI":
            image = misc.toimage(gray, mode=mode)
            np.testing.assert_array_equal(np.array(image), golden[f"mode_{mode}"])
        palette = misc.toimage(gray, mode="P").convert("RGB")
        np.testing.assert_array_equal(np.array(palette), golden["mode_P"])
        np.testing.assert_allclose(
            misc.imresize(gray, (12, 9), mode="F"), golden["resize_F"], rtol=1e-5, atol=1e-6
        )
        np.testing.assert_array_equal(misc.imfilter(golden["in_u8"], "blur"), golden["blur"])
        first = misc.toimage(golden["in_first"], channel_axis=0)
        np.testing.assert_array_equal(np.array(first), golden["channel_axis"])

    def test_black_and_white(self, misc):
        image = misc.toimage(np.array([[0, 300], [256, 255]]), mode="1")
        np.testing.assert_array_equal(np.array(image), [[False, True], [True, False]])
        assert misc.fromimage(image).dtype == np.uint8

    def test_an_open_file_of_a_named_format(self, misc):
        file = io.BytesIO()
        misc.imsave(file, np.eye(4), format="png")
        file.seek(0)
        np.testing.assert_array_equal(misc.imread(file), np.eye(4, dtype=np.uint8) * 255)

    @pytest.mark.parametrize(
        ("call", "error", "says"),
        [
            (lambda m: m.toimage(np.ones(3)), ValueError, "suitable array shape"),
            (lambda m: m.toimage(np.ones((2, 2, 5))), ValueError, "suitable array shape"),
            (lambda m: m.toimage(np.ones((2, 2)) * 1j), ValueError, "complex"),
            (lambda m: m.toimage(np.ones((2, 2)), mode="RGB"), ValueError, "mode 'RGB'"),
            (lambda m: m.toimage(np.ones((2, 2, 3)), mode="RGBA"), ValueError, "mode 'RGBA'"),
            (lambda m: m.toimage(np.ones((2, 4, 3)), channel_axis=0), ValueError, "2 channels"),
            (lambda m: m.bytescale(np.ones(2), high=256), ValueError, "high=256"),
            (lambda m: m.bytescale(np.ones(2), cmin=2, cmax=1), ValueError, "larger than"),
            (lambda m: m.imresize(np.ones((2, 2)), 50, interp="best"), ValueError, "'best'"),
            (lambda m: m.imfilter(np.ones((2, 2)), "best"), ValueError, "'best'"),
            (lambda m: m.fromimage(np.ones((2, 2))), TypeError, "PIL"),
        ],
    )
    def test_what_is_refused(self, misc, call, error, says):
        with pytest.raises(error, match=says):
            call(misc)

    def test_a_missing_name_says_so_with_the_nearest(self, misc):
        with pytest.raises(AttributeError) as caught:
            misc.imread_all  # noqa: B018
        assert str(caught.value) == (
            "module 'scipy.misc' has no attribute 'imread_all': "
            "vae_tf1.legacy does not provide it; the nearest name is scipy.misc.imread"
        )
        with pytest.raises(AttributeError, match=r"does not provide it$"):
            misc.face  # noqa: B018
        assert not hasattr(misc, "__wrapped__")

    def test_what_moved_within_scipy(self, misc):
        special = pytest.importorskip("scipy.special")
        assert misc.logsumexp is special.logsumexp
        assert misc.factorial(5) == 120

    def test_every_way_to_import_it(self, old):
        one = old("import scipy.misc\nfrom scipy import misc\nimport scipy.misc as third")
        assert one.scipy.misc is one.misc is one.third
        assert old("from scipy.misc import imsave").imsave is one.misc.imsave
        pytest.importorskip("scipy.stats")
        assert old("from scipy.stats import norm").norm.pdf(0) == pytest.approx(0.3989422804)

    def test_without_scipy(self, old, monkeypatch):
        for name in [name for name in sys.modules if name.partition(".")[0] == "scipy"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "scipy", None)
        assert old("from scipy.misc import imread").imread is families.library("scipy").misc.imread
        assert old("import scipy.misc").scipy.misc is families.library("scipy").misc
        assert old("from scipy import misc").misc is families.library("scipy").misc
        with pytest.raises(ModuleNotFoundError, match="scipy"):
            old("import scipy.stats")
        with pytest.raises(ModuleNotFoundError, match="scipy"):
            old("import scipy")

    def test_without_pillow(self, misc, monkeypatch):
        monkeypatch.setitem(sys.modules, "PIL.Image", None)
        with pytest.raises(ModuleNotFoundError, match=r"vae_tf1\[legacy\]"):
            misc.imsave("image.png", np.eye(3))


class TestNumpy:
    def test_aliases_mean_what_they_meant(self, old):
        old_np = old("import numpy as np").np
        for name, meaning in (("float", float), ("int", int), ("bool", bool), ("object", object)):
            assert getattr(old_np, name) is meaning
        assert np.zeros(2, dtype=old_np.float).dtype == np.float64
        assert np.isnan(old_np.NaN)
        assert old_np.Inf == np.inf == -old_np.NINF
        assert old_np.float_ is np.float64
        assert old_np.product([2, 3]) == 6
        assert old_np.alltrue([True, False]) == False  # noqa: E712 - a NumPy bool
        assert old_np.asscalar(np.array([3])) == 3
        np.testing.assert_array_equal(old_np.in1d([[1, 2]], [2]), [False, True])
        assert old_np.trapz([0, 1, 2]) == 2

    def test_stacking_a_generator(self, old):
        old_np = old("import numpy as np").np
        rows = [np.arange(3) + i for i in range(2)]
        for name in ("vstack", "hstack", "dstack", "column_stack", "stack", "concatenate"):
            stacked = getattr(old_np, name)(row for row in rows)
            np.testing.assert_array_equal(stacked, getattr(np, name)(rows))
        np.testing.assert_array_equal(old_np.vstack(map(np.array, rows)), rows)
        np.testing.assert_array_equal(old_np.vstack(np.eye(2)), np.eye(2))
        assert old_np.concatenate(rows, axis=0).shape == (6,)

    def test_bytes_from_a_string(self, old):
        fromstring = old("from numpy import fromstring").fromstring
        array = fromstring(b"\x01\x00\x02\x00", dtype="<u2")
        np.testing.assert_array_equal(array, [1, 2])
        array[0] = 5  # its own memory, as ever
        np.testing.assert_array_equal(fromstring("\xff", np.uint8), [255])
        np.testing.assert_array_equal(fromstring("1, 2", sep=","), [1.0, 2.0])

    def test_random_integers_include_both_ends(self, old):
        old_np = old("import numpy as np").np
        drawn = old_np.random.random_integers(1, 3, size=500)
        assert {*drawn.tolist()} == {1, 2, 3}
        assert {*old_np.random.random_integers(2, size=200).tolist()} == {1, 2}
        assert old("import numpy.random as r").r is old_np.random

    def test_all_else_is_numpys_own(self, old):
        mixed = old("import numpy as np\nfrom numpy import *\nfrom numpy import linalg")
        assert mixed.np.ndarray is np.ndarray is mixed.ndarray
        assert mixed.np.__version__ == np.__version__
        assert mixed.linalg is np.linalg
        with pytest.raises(AttributeError, match="no_such_name"):
            mixed.np.no_such_name  # noqa: B018
        assert {"zeros", "float"} <= {*dir(mixed.np)}

    def test_a_scripts_own_patch_reaches_everybody(self, old, monkeypatch):
        monkeypatch.setattr(np, "load", np.load)  # to be put back
        view = old("import numpy as np\nnp.load = 'patched'").np
        assert np.load == view.load == "patched"
        del view.load  # or every old module of this process would find it


class TestMatplotlib:
    @pytest.fixture
    def plt(self, old):
        plt = old("import matplotlib.pyplot as plt").plt
        plt.close("all")
        yield plt
        plt.close("all")

    def test_floats_count_subplots(self, plt):
        axes = plt.subplot(4 / 2, 2, 3.0)
        assert axes.get_subplotspec().get_geometry() == (2, 2, 2, 2)
        assert plt.subplot(221.0).get_subplotspec().get_geometry() == (2, 2, 0, 0)
        assert plt.subplots(2.0, 6 / 2)[1].shape == (2, 3)
        assert plt.subplot(2, 1, (1, 2)) is not None

    def test_keywords_of_old(self, plt):
        assert plt.subplot(111, axisbg="red").get_facecolor() == (1, 0, 0, 1)
        assert plt.axes(axisbg="lime").get_facecolor() == (0, 1, 0, 1)
        heights, *_ = plt.hist([0.0, 1.0, 2.0, 4.0], bins=2, normed=True)
        np.testing.assert_allclose(heights, [0.25, 0.25])
        plt.grid(b=True)
        plt.hold(True)
        assert plt.ishold()

    def test_colormaps(self, old, plt):
        cm = old("from matplotlib import cm").cm
        assert cm is plt.cm is old("import matplotlib.cm as cm").cm
        assert cm.get_cmap("gray").name == "gray"
        assert cm.get_cmap("jet", 5).N == 5
        assert cm.get_cmap("spectral").name == cm.spectral.name == "nipy_spectral"
        assert cm.gray.name == "gray"

    def test_seaborns_styles(self, plt):
        with plt.style.context("seaborn-whitegrid"):
            assert plt.rcParams["axes.grid"]
        with plt.style.context(["seaborn-notebook", "ggplot"]):
            assert plt.rcParams["axes.facecolor"] == "#E5E5E5"
        with plt.style.context("classic"), plt.style.context("seaborn"):
            plt.style.use("seaborn-v0_8-dark")
        with pytest.raises(OSError, match="no-such-style"):
            plt.style.use("no-such-style")

    def test_a_backend_that_needs_a_screen_gives_way(self, old, monkeypatch):
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setattr(sys, "platform", "linux")
        matplotlib = old("import matplotlib").matplotlib
        matplotlib.use("TkAgg", warn=False)
        assert matplotlib.get_backend().lower() == "agg"
        assert matplotlib.pyplot is old("from matplotlib import pyplot").pyplot

    def test_new_modules_see_none_of_it(self, plt):
        real = sys.modules["matplotlib.pyplot"]
        assert plt is not real
        assert plt.figure is real.figure
        assert plt.subplot is not real.subplot
        assert not hasattr(np, "float")


class TestImageio:
    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ([[0.0, 0.5, 1.0]], [[0, 127, 255]]),
            ([[-1.0, 0.0, 1.0]], [[0, 127, 255]]),
            ([[2.0, 4.0, 3.0]], [[0, 255, 127]]),
            (np.array([[0, 300, 150]]), [[0, 255, 127]]),
            (np.array([[0, 65535, 256]], np.uint16), [[0, 255, 1]]),
            (np.array([[7, 9]], np.uint8), [[7, 9]]),
            ([[3.0, 3.0]], [[3, 3]]),
        ],
    )
    def test_as_bytes(self, image, expected):
        from vae_tf1.legacy.libraries.imageio import as_bytes

        done = as_bytes(image)
        assert done.dtype == np.uint8
        np.testing.assert_array_equal(done, expected)

    def test_infinite_values_are_refused(self):
        from vae_tf1.legacy.libraries.imageio import as_bytes

        with pytest.raises(ValueError, match="infinite"):
            as_bytes([[1.0, np.inf]])

    def test_files(self, old, tmp_path):
        pytest.importorskip("imageio")
        imageio = old("import imageio").imageio
        image = np.linspace(0, 1, 12).reshape(3, 4)
        imageio.imwrite(tmp_path / "image.png", image)
        with Image.open(tmp_path / "image.png") as file:
            np.testing.assert_allclose(np.array(file) / 255, image, atol=1 / 255)
        imageio.mimsave(tmp_path / "film.gif", [image, image[::-1]])
        with Image.open(tmp_path / "film.gif") as film:
            assert film.n_frames == 2


def test_a_script_that_uses_them_all(tmp_path):
    pytest.importorskip("imageio")
    done = run(SCRIPTS / "images.py", tmp_path, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "uint8 (28, 28, 3) (56, 14)",
        "(56, 84) <class 'int'> <class 'bool'> <class 'object'>",
        "4",
    ]
    for name in ("saved.png", "colour.png", "float.png", "film.gif", "figure.png"):
        assert (tmp_path / name).stat().st_size > 0
    ramp = np.linspace(0, 1, 28 * 28).reshape(28, 28)
    for name in ("saved.png", "float.png"):
        with Image.open(tmp_path / name) as image:
            np.testing.assert_allclose(np.array(image) / 255, ramp, atol=1 / 255)
