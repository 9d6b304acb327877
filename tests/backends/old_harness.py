"""A harness for another version of pytorch-optimizer: old_harness.py DIRECTORY."""

import sys
from pathlib import Path


def main(directory: str) -> None:
    """Serve its SAM; the directory is one that ``pip install --target`` has filled."""
    sys.path[:0] = [directory, str(Path(__file__).parents[2])]
    import torch
    from pytorch_optimizer import SAM

    from minisam import oracle
    from minisam.adapters.serve import serve

    serve(oracle.torch(lambda params, hp: SAM(params, torch.optim.SGD, rho=hp["rho"], **hp.base)))


if __name__ == "__main__":
    main(*sys.argv[1:])
