"""SGD, SAM and ASAM for PyTorch, to be laid beside ``minisam/optim/sam.py``.

    d1 = ∇L(A)             the slope here
    B  = A + ρ T²d1/‖T d1‖  climb; T = 1 for SAM, |w| + η for ASAM (weights only)
    d2 = ∇L(B)             the slope up there
    A  ← A − η d2          go down from A, along d2

Each line works on all tensors at once, and no line waits for a number to reach the host. So a
whole step can be captured as one CUDA graph, and compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch


class SAM:
    """Move a model's parameters by SGD, SAM or ASAM.

    Args:
        named: ``model.named_parameters()``; frozen ones are left alone.
        method: ``"sgd"``, ``"sam"`` or ``"asam"``.
        rho: radius ρ of the climb. It, ``lr`` and ``weight_decay`` may be tensors without
            dimensions, whose values every step reads anew, also one that was captured.
        lr: step size.
        momentum: μ.
        nesterov: whether to look ahead along the velocity.
        weight_decay: λ, of the base update at A.
        eta: ASAM's stabilizer.
    """

    def __init__(
        self, named: Iterable[tuple[str, torch.nn.Parameter]], method: str = "sam", rho=0.05,
        lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0, eta=0.01,
    ):  # fmt: skip
        if method not in ("sgd", "sam", "asam"):
            raise ValueError(f"method must be 'sgd', 'sam' or 'asam', got {method!r}")
        trained = [(name, w) for name, w in named if w.requires_grad]
        self.weights = [w for _, w in trained]
        self.rescaled = [name.endswith("weight") for name, _ in trained]
        self.method, self.rho, self.lr, self.eta = method, rho, lr, eta
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.velocity = [torch.zeros_like(w) for w in self.weights]

    def step(self, loss: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Take one step, and return the loss at A; ``loss`` is called once for each gradient."""
        value, d1 = self.gradient(loss)
        if self.method == "sgd":
            self.descend(d1)
            return value
        with torch.no_grad():
            A = torch._foreach_add(self.weights, 0)  # a copy: what is added is taken off to the bit
            torch._foreach_add_(self.weights, self.climb(d1))  # B = A + ε
        _, d2 = self.gradient(loss)
        with torch.no_grad():
            torch._foreach_copy_(self.weights, A)
        self.descend(d2)
        return value

    def gradient(self, loss: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, list]:
        """Return the loss and its gradient where the weights are; 0 for what it does not reach."""
        value = loss()
        found = torch.autograd.grad(value, self.weights, allow_unused=True)
        pairs = zip(found, self.weights, strict=True)
        return value.detach(), [torch.zeros_like(w) if g is None else g for g, w in pairs]

    def climb(self, d1: list) -> list:
        """Return ε = ρ T²d1/‖T d1‖, and 0 for a gradient of 0."""
        T = [w.abs() + self.eta for w in self.weights] if self.method == "asam" else None
        if T is not None:
            T = [t if yes else torch.ones_like(t) for t, yes in zip(T, self.rescaled, strict=True)]
            d1 = torch._foreach_mul(T, d1)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(d1)))
        length = torch.where(norm == 0, torch.zeros_like(norm), self.rho / norm)
        epsilon = torch._foreach_mul(d1, length)
        return epsilon if T is None else torch._foreach_mul(T, epsilon)

    @torch.no_grad()
    def descend(self, d2: list) -> None:
        """Do the base update: g ← d2 + λw, v ← μv + g, w ← w − lr v (Nesterov: g + μv)."""
        g = torch._foreach_add(d2, torch._foreach_mul(self.weights, self.weight_decay))
        if self.momentum:
            torch._foreach_mul_(self.velocity, self.momentum)
            torch._foreach_add_(self.velocity, g)
            ahead = torch._foreach_add(g, self.velocity, alpha=self.momentum)
            g = ahead if self.nesterov else self.velocity
        torch._foreach_sub_(self.weights, torch._foreach_mul(g, self.lr))
