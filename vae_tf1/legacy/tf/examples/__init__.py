"""What old scripts find under `tensorflow.examples`."""
