"""ATen, PyTorch's own operations: what torch and Keras on torch have in common."""
