"""The paper: the graph of the model, its layers and formulas. No file, no thread, no clock."""
