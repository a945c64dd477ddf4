"""The parts of ``run_mnist.py``: options, data, model, pictures, questions, report.

Importing them is quick: TensorFlow and matplotlib are loaded when they are first needed.
"""
