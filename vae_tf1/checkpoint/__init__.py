"""What survives: tensors under TensorFlow 1's names, the manifest, the folder, its lock."""
