"""The import hooks, the overlay of names and the runner."""
