"""Keep TensorFlow's deprecation chatter about its own classes off the screen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


class _DropDeprecations(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "deprecat" not in record.getMessage()


@contextmanager
def without_deprecation_warnings() -> Iterator[None]:
    """Drop TensorFlow's deprecation messages inside the block; the log level stays as it is."""
    logger, dropped = tf.get_logger(), _DropDeprecations()
    logger.addFilter(dropped)
    try:
        yield
    finally:
        logger.removeFilter(dropped)
