"""Old TensorFlow 1 scripts on today's TensorFlow, unedited: ``python -m vae_tf1.legacy script.py``.

From Python: ``with vae_tf1.legacy.tensorflow1(): import old_module``. In a notebook:
``%load_ext vae_tf1.legacy``.
"""

from vae_tf1.legacy.machinery.session import tensorflow1

__all__ = ["load_ipython_extension", "tensorflow1", "unload_ipython_extension"]


def load_ipython_extension(ipython) -> None:
    """Run the cells below ``%load_ext vae_tf1.legacy`` as under TensorFlow 1."""
    from vae_tf1.legacy import notebook

    notebook.load(ipython)


def unload_ipython_extension(ipython) -> None:
    """Run the cells below ``%unload_ext vae_tf1.legacy`` as before."""
    from vae_tf1.legacy import notebook

    notebook.unload(ipython)
