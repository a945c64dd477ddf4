"""A headless Chromium of its own, driven by Selenium; tests are skipped where there is none."""

import shutil
import tempfile
from contextlib import contextmanager

import numpy as np
import pytest

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--window-size=1280,1000"),
)


@contextmanager
def chromium():
    """Yield a driver of a browser with an empty profile."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no Chromium with its chromedriver")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(executable_path=driver)
        running = webdriver.Chrome(options=options, service=service)
        try:
            yield running
        finally:
            running.quit()


class Page:
    """The page in the browser."""

    def __init__(self, driver, file):
        self.driver = driver
        driver.get(file.as_uri())
        self.settle()

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def settle(self):
        """Wait until what was asked for has been drawn and described."""
        self.driver.execute_async_script(
            "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => "
            "requestAnimationFrame(() => done())), 250)"
        )

    def find(self, name):
        return self.driver.find_element("id", name)

    def text(self, name):
        return self.js("return document.getElementById(arguments[0]).textContent", name)

    def number(self, name):
        return float(self.text(name).replace("−", "-"))

    @property
    def code(self):
        return np.array(self.js("return vae.code"))

    def pixels(self, name, index=0):
        """Return the red channel of a canvas, or of one in a group."""
        values, width = self.js(
            "let c = document.getElementById(arguments[0]);"
            "if (c.tagName !== 'CANVAS') c = c.querySelectorAll('canvas')[arguments[1]];"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "return [Array.from(d).filter((_, i) => i % 4 === 0), c.width]",
            name,
            index,
        )
        return np.array(values).reshape(-1, width)

    def theme(self, dark):
        value = "dark" if dark else "light"
        features = [{"name": "prefers-color-scheme", "value": value}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.settle()

    def screen(self, width, height, *, phone=False):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1 + phone, "mobile": phone},
        )
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})
        self.settle()

    def box(self, name):
        """Return left, top, width and height of an element in the window."""
        return self.js(
            "const e = document.getElementById(arguments[0]);"
            "e.scrollIntoView({block: 'center'});"
            "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]",
            name,
        )

    def drag(self, name, points):
        """Press the mouse at the first of the points in an element (0 to 1), move over the rest."""
        left, top, width, height = self.box(name)
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1)]
        for kind, (x, y) in [*zip(kinds, points, strict=True), ("mouseReleased", points[-1])]:
            event = {"type": kind, "x": left + x * width, "y": top + y * height}
            event |= {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1}
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event | {"clickCount": 1})
        self.settle()

    def touch(self, name, points):
        """The same with a finger."""
        left, top, width, height = self.box(name)
        kinds = ["touchStart", *["touchMove"] * (len(points) - 1)]
        for kind, (x, y) in zip(kinds, points, strict=True):
            at = [{"x": left + x * width, "y": top + y * height}]
            event = {"type": kind, "touchPoints": at}
            self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)
        event = {"type": "touchEnd", "touchPoints": []}
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)
        self.settle()
