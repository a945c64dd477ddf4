"""The page: what is written, and what a real browser makes of it."""

import base64
import json
import os
import re

import numpy as np
import pytest
from support.browser import Page, chromium

from vae_tf1 import Gaussian, VariationalAutoencoder
from vae_tf1.convert import compare, export, network
from vae_tf1.convert.formats import FORMATS, Source
from vae_tf1.data.mnist import builtin_digits


@pytest.fixture(scope="module")
def digits():
    images, labels = builtin_digits(200)
    return images > 127, labels


@pytest.fixture(scope="module", params=[2, 12], ids=["plane", "twelve"])
def vae(request, digits):
    """A model of some digits, with two latent coordinates or twelve."""
    with VariationalAutoencoder(784, [48, request.param], seed=0) as vae:
        vae.fit(digits[0], epochs=12, batch_sz=16, progress=False, plot=False, compile=False)
        yield vae


@pytest.fixture(scope="module")
def file(vae, digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    return vae.export(folder, "page", *digits).files[0]


def model_in(file):
    return json.loads(re.search(r'id="model">([^<]*)<', file.read_text())[1])


class TestFile:
    def test_it_asks_for_nothing_from_anywhere(self, file):
        page = file.read_text()
        assert "default-src 'none'" in page
        assert not re.search(r"""(src|href)=["'](?!data:)""", page)
        assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|import\(", page)
        assert page.count("<script") == page.count("</script>") == 4

    def test_the_default_model_takes_less_than_3_mb(self, golden_large_dir, digits, tmp_path):
        with VariationalAutoencoder(784, [200, 100]) as vae:
            vae.restore(golden_large_dir / "tf115_784.ckpt")
            done = vae.export(tmp_path, "page", *digits)
            assert done.files[0].stat().st_size < 3_000_000
            model = model_in(done.files[0])
            assert model["dtype"] == "float16"
            assert done.difference < 1e-3
            # what the page checks itself against is what the model decodes
            for check in model["checks"]:
                expected = vae.prior_predictive_with_input([check["code"]])[0]
                np.testing.assert_allclose(check["probabilities"], expected, atol=2e-6)

    @pytest.mark.parametrize(("scale", "dtype"), [(1, "float16"), (1e6, "float32")])
    def test_weights_are_float16_only_if_that_is_exact_enough(self, scale, dtype, tmp_path):
        rng = np.random.default_rng(0)
        encoder = [(scale * rng.standard_normal((12, 4)), np.zeros(4))]
        decoder = [(rng.standard_normal((2, 12)) / scale, np.zeros(12))]
        with VariationalAutoencoder.from_arrays(encoder, decoder) as vae:
            done = vae.export(tmp_path, "page")
        assert model_in(done.files[0])["dtype"] == dtype
        assert done.difference < (1e-3 if dtype == "float16" else 1e-5)

    def test_the_plane_of_two_coordinates_is_the_coordinates(self, vae, file, digits):
        plane, codes = model_in(file)["plane"], vae.transform(digits[0])
        if codes.shape[1] == 2:
            assert plane["axes"] == [[1, 0], [0, 1]]
            np.testing.assert_allclose(plane["points"], codes, atol=0.01)
        else:  # principal components, by another way: singular values
            centred = codes - codes.mean(0)
            _, values, rows = np.linalg.svd(centred, full_matrices=False)
            np.testing.assert_allclose(np.abs(plane["axes"] @ rows[:2].T), np.eye(2), atol=1e-2)
            share = (values[:2] ** 2).sum() / (values**2).sum()
            assert f"{share:.0%}" in plane["caption"]
            np.testing.assert_allclose(
                plane["points"], centred @ np.transpose(plane["axes"]), atol=0.05
            )
        left, right, bottom, top = plane["range"]
        inside = [(left < u < right) and (bottom < v < top) for u, v in plane["points"]]
        assert np.mean(inside) > 0.95
        assert right - left == pytest.approx(top - bottom)

    def test_the_sliders_are_the_units_whose_means_vary_most(self, vae, file, digits):
        activity = vae.transform(digits[0]).var(0)
        units = [unit["index"] for unit in model_in(file)["units"]]
        if len(activity) == 2:
            assert units == [0, 1]
        else:
            assert len(units) == 10
            assert set(units) == set(np.argsort(-activity)[:10].tolist())

    @pytest.mark.parametrize(("D", "M"), [(24, 1), (24, 4), (7, 3), (1, 1)])
    def test_any_sizes_without_images(self, D, M, tmp_path):
        with VariationalAutoencoder(D, [5, M]) as vae:
            model = model_in(vae.export(tmp_path, "page").files[0])
        assert model["height"] * model["width"] == D
        assert (model["labels"], model["examples"]) == (None, [])
        assert len(model["units"]) == M

    def test_the_prior_of_the_model(self, tmp_path):
        with VariationalAutoencoder(4, [2], prior=Gaussian(1.0, 0.25)) as vae:
            assert model_in(vae.export(tmp_path, "page").files[0])["prior"] == [1.0, 0.5]

    def test_a_title_cannot_break_out(self, tmp_path):
        with VariationalAutoencoder(4, [2]) as vae:
            found = network.of_model(vae)
        inputs = compare.inputs(4, 2)
        title = "</title><script>alert(1)</script>"
        source = Source(dict, lambda: found, inputs, compare.by_network(found, inputs), title=title)
        export.convert(source, FORMATS["page"], tmp_path)
        page = (tmp_path / "page.html").read_text()
        assert "<script>alert" not in page
        assert page.count("<script") == 4


@pytest.fixture(scope="module")
def driver():
    with chromium() as driver:
        yield driver


@pytest.fixture
def page(driver, file):
    page = Page(driver, file)
    page.screen(1280, 1000)
    page.theme(dark=False)
    yield page
    said = [entry["message"] for entry in driver.get_log("browser")]
    # the tests read pixels more often than the page does
    assert [text for text in said if "Multiple readback operations" not in text] == []
    assert page.js("return performance.getEntriesByType('resource').length") == 0
    assert page.js("return document.getElementById('alert').hidden")


def ink(probabilities, dark=False):
    """Return the pixels of an image: dark ink on white paper, or the other way round."""
    values = 255 * np.asarray(probabilities).reshape(28, 28)
    return values if dark else 255 - values


def assert_shows(pixels, probabilities, dark=False):
    np.testing.assert_allclose(pixels, ink(probabilities, dark), atol=0.8)


def plane_to_code(page, x, y):
    """Return the code at a place (0 to 1) of the plane."""
    left, right, bottom, top = page.js("return vae.model.plane.range")
    u, v = left + x * (right - left), top - y * (top - bottom)
    plane = page.js("return vae.model.plane")
    return plane["origin"] + np.array([u, v]) @ np.array(plane["axes"])


def zero():
    """Return the strokes of a 0, as fractions of the pad."""
    angles = np.linspace(0, 2 * np.pi, 24)
    return np.stack([0.5 + 0.18 * np.sin(angles), 0.5 - 0.28 * np.cos(angles)], 1).tolist()


@pytest.mark.full
class TestInABrowser:
    def test_it_finds_its_own_numbers_right(self, page):
        assert float(page.js("return document.documentElement.dataset.difference")) < 1e-3
        assert "differ by at most" in page.text("precision")

    @pytest.mark.parametrize("dark", [False, True])
    def test_dragging_decodes_what_the_model_decodes(self, page, vae, dark):
        page.theme(dark)
        before = page.pixels("decoded")
        page.drag("plane", [(0.5, 0.5), (0.4, 0.3), (0.3, 0.6)])
        np.testing.assert_allclose(page.code, plane_to_code(page, 0.3, 0.6), atol=0.03)
        pixels = page.pixels("decoded")
        assert_shows(pixels, vae.prior_predictive_with_input([page.code]), dark)
        assert (pixels != before).any()
        page.drag("plane", [(0.6, 0.2)])
        np.testing.assert_allclose(page.code, plane_to_code(page, 0.6, 0.2), atol=0.03)
        assert_shows(page.pixels("decoded"), vae.prior_predictive_with_input([page.code]), dark)

    def test_the_mouse_moves_nothing_unless_it_is_pressed(self, page):
        page.drag("plane", [(0.5, 0.5), (0.3, 0.3)])
        code = page.code
        left, top, width, height = page.box("plane")
        event = {"type": "mouseMoved", "x": left + 0.8 * width, "y": top + 0.8 * height}
        page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)
        page.settle()
        np.testing.assert_array_equal(page.code, code)

    def test_the_ring_is_where_the_code_is(self, page):
        page.drag("plane", [(0.5, 0.5), (0.25, 0.7)])
        pixels = page.pixels("plane")
        page.drag("plane", [(0.8, 0.2)])
        changed = np.argwhere(page.pixels("plane") != pixels) / len(pixels)  # rows are y
        for x, y in ((0.25, 0.7), (0.8, 0.2)):
            assert np.abs(changed - (y, x)).max(1).min() < 0.02
        near = (np.abs(changed - (0.7, 0.25)).max(1) < 0.05) | (
            np.abs(changed - (0.2, 0.8)).max(1) < 0.05
        )
        assert near.all()

    def test_a_finger_drags_and_the_page_does_not_scroll(self, page, vae):
        page.screen(390, 844, phone=True)
        page.touch("plane", [(0.5, 0.5), (0.5, 0.7), (0.3, 0.9)])
        where = page.js("return scrollY")
        page.touch("plane", [(0.5, 0.9), (0.5, 0.5), (0.4, 0.2)])
        assert page.js("return scrollY") == where
        np.testing.assert_allclose(page.code, plane_to_code(page, 0.4, 0.2), atol=0.05)
        assert_shows(page.pixels("decoded"), vae.prior_predictive_with_input([page.code]))

    def test_the_keyboard_moves_over_the_plane(self, page):
        from selenium.webdriver.common.keys import Keys

        plane = page.find("plane")
        plane.send_keys(Keys.HOME)
        page.settle()
        u0, v0 = page.js("return vae.toPlane(vae.code)")
        assert (u0, v0) == pytest.approx((0, 0), abs=1e-9)
        plane.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_UP)
        page.settle()
        u, v = page.js("return vae.toPlane(vae.code)")
        assert u == pytest.approx(2 * v)
        assert v > 0
        assert re.search(r"at .* \d\.\d\d, .* \d\.\d\d", plane.get_attribute("aria-label"))
        assert re.search(r": \d+ of the 10 nearest codes are of a \d", page.text("live"))

    def test_the_sliders_move_their_own_unit_by_keyboard_too(self, page, vae):
        from selenium.webdriver.common.keys import Keys

        slider, index = page.find("unit-1"), page.js("return vae.model.units[1].index")
        before = page.code
        slider.send_keys(*[Keys.ARROW_RIGHT] * 30)
        page.settle()
        changed = page.code - before
        assert changed[index] == pytest.approx(0.3, abs=0.02)
        assert np.delete(changed, index) == pytest.approx(0)
        assert_shows(page.pixels("decoded"), vae.prior_predictive_with_input([page.code]))
        assert slider.get_attribute("aria-label") == f"Unit {index + 1} of the code"

    @pytest.mark.parametrize("how", ["drag", "touch"])
    def test_a_drawing_is_encoded_reconstructed_and_has_its_elbo(self, page, vae, how):
        if how == "touch":
            page.screen(390, 844, phone=True)
        assert page.text("elbo") == "–"
        getattr(page, how)("pad", zero())
        drawn = 255 - page.pixels("pad")
        assert 60 < (drawn > 127).sum() < 250
        assert drawn[14, 14] == 0  # the middle of a 0 is empty
        seen = np.array(page.js("return vae.seen"), np.float32)
        assert set(seen.tolist()) == {0, 1}
        assert_shows(page.pixels("seen"), seen)

        codes = vae.transform([seen])
        np.testing.assert_allclose(page.code, codes[0], atol=5e-3)
        assert_shows(page.pixels("reconstruction"), vae.reconstruct([seen]))
        assert_shows(page.pixels("decoded"), vae.reconstruct([seen]))

        # The ELBO is a mean over draws: held to four standard errors of our own 2,000.
        feed = {vae.X: np.repeat([seen], 2000, 0)}
        with vae.graph.as_default():
            terms = vae.forward(vae.X, vae.epsilon)
            likelihood, kl = vae.sess.run((terms.log_likelihood, terms.kl), feed)
        assert page.number("kl") == pytest.approx(kl[0], abs=0.05)
        error = 4 * likelihood.std() / np.sqrt(200) + 0.05
        assert page.number("likelihood") == pytest.approx(likelihood.mean(), abs=error)
        assert page.number("elbo") == pytest.approx(
            page.number("likelihood") - page.number("kl"), abs=0.011
        )
        page.find("clear").click()
        page.settle()
        assert page.text("elbo") == "–"
        assert (page.pixels("pad") == 255).all()

    def test_a_drawing_is_put_into_the_middle_as_the_models_images_are(self, page):
        page.drag("pad", [(x - 0.2, y - 0.15) for x, y in zero()])
        seen = np.array(page.js("return vae.seen")).reshape(28, 28)
        rows, columns = np.nonzero(seen)
        assert rows.mean() == pytest.approx(13.5, abs=0.6)
        assert columns.mean() == pytest.approx(13.5, abs=0.6)
        assert np.nonzero(page.js("return vae.drawing"))[0].size >= seen.sum()

    def test_the_keyboard_draws(self, page):
        from selenium.webdriver.common.keys import Keys

        pad = page.find("pad")
        pad.send_keys(Keys.SPACE, *[Keys.ARROW_DOWN] * 8, Keys.SPACE, *[Keys.ARROW_LEFT] * 5)
        page.settle()
        drawn = np.array(page.js("return vae.drawing")).reshape(28, 28)
        assert (drawn[14:22, 13:15].max(1) > 0.5).all()
        assert drawn[:, :9].max() == 0
        assert page.number("kl") > 0
        pad.send_keys(Keys.DELETE)
        page.settle()
        assert page.text("elbo") == "–"

    def test_examples_are_images_of_the_data(self, page, digits):
        for digit in (0, 1):
            page.find("example").click()
            page.settle()
            shown = np.array(page.js("return vae.drawing")) > 0.5
            labels = digits[1][(digits[0] == shown).all(1)]
            assert digit in labels
            assert page.text("live")

    def test_samples_of_the_prior_are_decoded_and_can_be_chosen(self, page, vae):
        before = [page.pixels("samples", i) for i in range(16)]
        page.find("sample").click()
        page.settle()
        for i in (0, 15):
            assert (page.pixels("samples", i) != before[i]).any()
            page.js("document.querySelectorAll('#samples button')[arguments[0]].click()", i)
            page.settle()
            assert_shows(page.pixels("samples", i), vae.prior_predictive_with_input([page.code]))
            assert np.abs(page.code).max() < 6

    def test_everything_has_a_name_for_a_screen_reader(self, page):
        unnamed = page.js(
            "return [...document.querySelectorAll('button, input, canvas, [tabindex]')].filter("
            "e => !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels || [])[0])"
            " && !e.closest('#samples')).map(e => e.outerHTML)"
        )
        assert unnamed == []
        titles = page.js(
            "return [...document.querySelectorAll('[aria-labelledby], [aria-describedby]')].every("
            "e => ['labelledby', 'describedby'].every(k => !e.hasAttribute(`aria-${k}`)"
            " || document.getElementById(e.getAttribute(`aria-${k}`)).textContent.trim()))"
        )
        assert titles

    @pytest.mark.parametrize("width", [320, 390, 768, 1280])
    def test_nothing_is_wider_than_the_screen(self, page, width):
        page.screen(width, 844, phone=width < 768)
        assert page.js("return document.documentElement.scrollWidth") <= width
        if width < 700:  # the image and the whole plane are in sight together
            top = page.js("return document.getElementById('decoded').getBoundingClientRect().top")
            bottom = page.js(
                "return document.getElementById('plane').getBoundingClientRect().bottom"
            )
            assert bottom - top < 844

    @pytest.mark.parametrize("dark", [False, True])
    def test_texts_stand_out_from_their_background(self, page, dark):
        """A contrast of 4.5 at least (WCAG 2.1, AA)."""
        page.theme(dark)
        names = ("--text", "--quiet", "--accent", "--alert", "--card", "--back", "--on-accent")
        values = page.js(
            "const s = getComputedStyle(document.documentElement);"
            "return arguments[0].map(n => s.getPropertyValue(n).trim())",
            names,
        )
        colours = dict(zip(names, values, strict=True))
        for behind in ("--card", "--back"):
            for name in ("--text", "--quiet", "--accent", "--alert"):
                assert contrast(colours[name], colours[behind]) >= 4.5, (name, behind)
        assert contrast(colours["--on-accent"], colours["--accent"]) >= 4.5

    def test_the_button_changes_the_theme(self, page):
        white = page.pixels("pad")[0, 0]
        page.find("theme").click()  # light
        page.find("theme").click()  # dark
        page.settle()
        assert (white, page.pixels("pad")[0, 0]) == (255, 0)
        assert page.text("theme") == "Theme: dark"


def contrast(one, other):
    """Return the contrast of two colours as WCAG 2.1 defines it, 1 to 21."""

    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.full
@pytest.mark.parametrize(("D", "M", "shape"), [(24, 1, None), (24, 3, (6, 4)), (9, 2, None)])
def test_other_sizes_and_no_data(driver, D, M, shape, tmp_path):
    with VariationalAutoencoder(D, [5, M], seed=0) as vae:
        file = vae.export(tmp_path, "page", shape=shape).files[0]
        page = Page(driver, file)
        page.screen(1280, 1000)
        page.drag("plane", [(0.5, 0.5), (0.3, 0.6)])
        expected = 255 - 255 * vae.prior_predictive_with_input([page.code])[0]
        pixels = page.pixels("decoded")
        assert pixels.shape == (shape or {24: (4, 6), 9: (3, 3)}[D])
        np.testing.assert_allclose(pixels.ravel(), expected, atol=0.8)
        page.drag("pad", [(0.3, 0.3), (0.6, 0.6)])
        np.testing.assert_allclose(
            page.code, vae.transform([page.js("return vae.seen")])[0], atol=5e-3
        )
        assert page.driver.get_log("browser") == []


@pytest.mark.full
def test_a_page_with_other_weights_says_so(driver, file, tmp_path):
    """What the page shows of itself is held to the numbers that the model gave."""
    page = file.read_text()
    weights = re.search(r'id="weights">([^<]*)<', page)[1]
    data = bytearray(base64.b64decode(weights))
    data[-2000:] = os.urandom(1000) + bytes(1000)
    (tmp_path / "page.html").write_text(page.replace(weights, base64.b64encode(data).decode()))
    shown = Page(driver, tmp_path / "page.html")
    assert "not exact" in shown.find("alert").text


@pytest.mark.full
def test_frames_a_second_of_the_default_model(driver, digits, tmp_path):
    """Measured, not asserted: `pytest -s -k frames` prints the numbers that the document quotes."""
    with VariationalAutoencoder(784, [200, 100], seed=0) as vae:
        page = Page(driver, vae.export(tmp_path, "page", *digits).files[0])
    page.screen(1280, 1000)
    shown = driver.execute_async_script(
        "const done = arguments[0], start = performance.now(); let frames = 0;"
        "const next = () => { frames++; const t = performance.now() - start;"
        "  vae.setCode(vae.fromPlane(Math.cos(t / 300), Math.sin(t / 300)));"
        "  if (t < 3000) requestAnimationFrame(next); else done(1000 * frames / t); };"
        "requestAnimationFrame(next)"
    )
    possible = page.js("return vae.framesPerSecond()")
    print(f"\n{shown:.0f} frames a second shown, {possible:.0f} possible")
    assert shown > 0
    assert possible > 0
