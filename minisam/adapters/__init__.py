"""How an optimizer meets the oracle: adapters, which make any implementation look alike."""
