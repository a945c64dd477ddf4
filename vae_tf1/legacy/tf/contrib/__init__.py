"""What old scripts find under `tensorflow.contrib`."""
