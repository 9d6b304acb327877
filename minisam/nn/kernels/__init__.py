"""Twice differentiable kernels in plain NumPy, and the threads and the memory that they use."""
