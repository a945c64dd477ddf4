"""Old TensorFlow 1 scripts on today's TensorFlow, unedited: ``python -m vae_tf1.legacy script.py``.

From Python: ``with vae_tf1.legacy.tensorflow1(): import old_module``.
"""

from vae_tf1.legacy.machinery.session import tensorflow1

__all__ = ["tensorflow1"]
