"""The parts of ``run_mnist.py``: options, data, model, pictures, questions, report.

Importing them is quick: NumPy, TensorFlow and matplotlib are loaded when they are first needed, so
that a wrong option is refused at once, and a right one is answered with a line.
"""
