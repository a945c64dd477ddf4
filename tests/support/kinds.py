"""Which of many like cases every run tries, and which only a whole one."""

from collections.abc import Iterable
from typing import Any

import pytest


def full_except(cases: Iterable[Any], *fast: Any) -> list[Any]:
    """Mark all cases `full` except those named."""
    return _marked_except(pytest.mark.full, cases, fast)


def repeats_except(cases: Iterable[Any], *fast: Any) -> list[Any]:
    """Mark all cases `repeats` except those named."""
    return _marked_except(pytest.mark.repeats, cases, fast)


def _marked_except(mark: pytest.MarkDecorator, cases: Iterable[Any], fast: tuple) -> list[Any]:
    cases = list(cases)
    missing = [case for case in fast if case not in cases]
    assert not missing, f"no such cases: {missing}"
    return [case if case in fast else pytest.param(case, marks=mark) for case in cases]
