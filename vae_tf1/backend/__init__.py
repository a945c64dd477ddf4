"""What TensorFlow, XLA and glibc need today. Delete a file here on the day they are mended."""
