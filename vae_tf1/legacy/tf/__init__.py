"""What old scripts find under `tensorflow`; the paths mirror what a script imports."""
