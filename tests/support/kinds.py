"""Which of many like cases every run tries, and which only a whole one."""

from collections.abc import Iterable
from typing import Any

import pytest


def full_except(cases: Iterable[Any], *fast: Any) -> list[Any]:
    """Mark all cases `full` except those named."""
    cases = list(cases)
    missing = [case for case in fast if case not in cases]
    assert not missing, f"no such cases: {missing}"
    return [case if case in fast else pytest.param(case, marks=pytest.mark.full) for case in cases]
