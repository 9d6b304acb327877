"""Twice differentiable kernels in plain NumPy, and the memory that they use."""
