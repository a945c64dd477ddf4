"""Ways out of TensorFlow 1: today's formats, and a page to play with.

A `Network` says in plain arrays what encoder and decoder compute. It is made from a `Model` or from
the tensors of any TF1 checkpoint; each module in `formats/` writes it, and runs what was written.
"""
