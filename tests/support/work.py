"""How much work a function does, counted and not timed: the count is the same on every machine."""

import sys

__all__ = ["calls"]


def calls(function):
    """Return how many functions ``function()`` calls, those written in C included."""
    count = 0

    def see(frame, event, argument):
        nonlocal count
        count += event.endswith("call")

    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count
