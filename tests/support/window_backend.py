"""A matplotlib backend for the tests: windows without a display, which write down what happens.

``MPLBACKEND=module://support.window_backend``; the events go to the file that $WINDOW_LOG names, if
any.
"""

import os

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

events = []


def note(event):
    events.append(event)
    if "WINDOW_LOG" in os.environ:
        with open(os.environ["WINDOW_LOG"], "a") as log:
            log.write(f"{event}\n")


class FigureManager(FigureManagerBase):
    def show(self):
        self.canvas.draw()
        note(f"show {self.canvas.figure.get_label()}")

    def destroy(self):
        if self.canvas.figure.get_label():
            note(f"close {self.canvas.figure.get_label()}")


class FigureCanvasWindow(FigureCanvasAgg):
    required_interactive_framework = "headless"
    manager_class = FigureManager

    def flush_events(self):
        note("alive")


FigureCanvas = FigureCanvasWindow
