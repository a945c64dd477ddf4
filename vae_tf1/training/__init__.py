"""How the model learns: which images each step sees, the compiled loop, progress, interrupts."""
