"""Networks in plain NumPy: primitives, layers, losses, models and their gradients."""
