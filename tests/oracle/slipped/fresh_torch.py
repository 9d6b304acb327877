"""Fresh wrong SAMs as PyTorch optimizers."""

import pytest

torch = pytest.importorskip("torch")  # the doctests of every file are collected, this one, too


class Base(torch.optim.Optimizer):
    def __init__(self, params, base=torch.optim.SGD, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.base_optimizer = base(self.param_groups, **kw)
        self.param_groups = self.base_optimizer.param_groups
        self.defaults.update(self.base_optimizer.defaults)

    def _norm(self):
        return torch.norm(
            torch.stack(
                [
                    p.grad.norm(p=2)
                    for group in self.param_groups
                    for p in group["params"]
                    if p.grad is not None
                ]
            )
        )

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        norm = self._norm()
        for group in self.param_groups:
            scale = group["rho"] / (norm + 1e-12)
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.state[p]["old_p"] = p.data.clone()
                p.add_(p.grad * scale.to(p))
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        for group in self.param_groups:
            for p in group["params"]:
                if "old_p" in self.state[p]:
                    p.data = self.state[p].pop("old_p")
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()


class NoClone(Base):
    @torch.no_grad()
    def first_step(self, zero_grad=False):
        norm = self._norm()
        for group in self.param_groups:
            scale = group["rho"] / (norm + 1e-12)
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.state[p]["old_p"] = p.data
                p.add_(p.grad * scale.to(p))
        if zero_grad:
            self.zero_grad()


def no_clone(params, hp):
    """Keeps old_p, which is p.data without a clone."""
    return NoClone(params, rho=hp["rho"], **hp.base)


class StepsThenRestores(Base):
    @torch.no_grad()
    def second_step(self, zero_grad=False):
        self.base_optimizer.step()
        for group in self.param_groups:
            for p in group["params"]:
                if "old_p" in self.state[p]:
                    p.data = self.state[p].pop("old_p")
        if zero_grad:
            self.zero_grad()


def steps_then_restores(params, hp):
    """The base step comes before the restoring, which undoes it."""
    return StepsThenRestores(params, rho=hp["rho"], **hp.base)


class KeepsGradients(Base):
    @torch.no_grad()
    def first_step(self, zero_grad=False):
        super().first_step(zero_grad=False)


def keeps_gradients(params, hp):
    """The gradients are not cleared between the passes."""
    return KeepsGradients(params, rho=hp["rho"], **hp.base)


class OwnGroups(torch.optim.Optimizer):
    def __init__(self, params, rho, **kw):
        params = list(params)
        super().__init__(params, dict(rho=rho, lr=kw["lr"]))
        every = params if not isinstance(params[0], dict) else [dict(g) for g in params]
        self.base_optimizer = torch.optim.SGD(every, **kw)

    @torch.no_grad()
    def step(self, closure):
        closure = torch.enable_grad()(closure)
        closure()
        ps = [p for g in self.param_groups for p in g["params"] if p.grad is not None]
        norm = torch.norm(torch.stack([p.grad.norm() for p in ps])) + 1e-12
        old = [p.clone() for p in ps]
        rhos = {p: g["rho"] for g in self.param_groups for p in g["params"]}
        for p in ps:
            p.add_(p.grad * (rhos[p] / norm))
        closure()
        for p, o in zip(ps, old, strict=True):
            p.copy_(o)
        self.base_optimizer.step()


def own_groups(params, hp):
    """The base optimizer has groups of its own, so no scheduler reaches it."""
    return OwnGroups(params, rho=hp["rho"], **hp.base)


class GroupNorm(Base):
    @torch.no_grad()
    def first_step(self, zero_grad=False):
        for group in self.param_groups:
            ps = [p for p in group["params"] if p.grad is not None]
            if not ps:
                continue
            norm = torch.norm(torch.stack([p.grad.norm(p=2) for p in ps]))
            for p in ps:
                self.state[p]["old_p"] = p.data.clone()
                p.add_(p.grad * group["rho"] / (norm + 1e-12))
        if zero_grad:
            self.zero_grad()


def norm_of_a_group(params, hp):
    """A norm for every parameter group."""
    return GroupNorm(params, rho=hp["rho"], **hp.base)
