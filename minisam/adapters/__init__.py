"""Make implementations of any kind look alike to the oracle: adapters."""
