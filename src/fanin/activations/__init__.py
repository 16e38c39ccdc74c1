"""Activations: scalar functions and their Gaussian moments."""
