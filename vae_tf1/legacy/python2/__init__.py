"""Python 2 source, translated in memory."""
