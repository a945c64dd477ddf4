"""Which values a likelihood gives a density to."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["REAL", "UNIT_INTERVAL", "Support"]


class Support(NamedTuple):
    """The values from `low` to `high`, both included; `whole` leaves the integers among them."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    @property
    def expected(self) -> str:
        """What a message says of these values."""
        what = "integers" if self.whole else "values"
        if math.isinf(self.low) and math.isinf(self.high):
            return "finite integers" if self.whole else "finite numbers"
        if math.isinf(self.high):
            return f"finite {what} of at least {self.low:g}"
        if math.isinf(self.low):
            return f"finite {what} of at most {self.high:g}"
        return f"{what} in [{self.low:g}, {self.high:g}]"

    @property
    def in_a_byte(self) -> bool:
        """Whether the integers among these values are those of a byte."""
        return self.low >= 0 and self.high <= 255


REAL = Support()
UNIT_INTERVAL = Support(0, 1)
