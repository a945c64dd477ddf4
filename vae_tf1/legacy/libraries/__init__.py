"""Packages other than TensorFlow as old scripts knew them."""
