"""What old scripts find under `tensorflow.nn`."""
