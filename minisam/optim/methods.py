"""Every method by name: a follow-up is a function in a file of its own, and one row here.

Whoever turns hyper-parameters into an optimizer looks here: training and `minisam compare`, the
oracle and its exact vectors, the specification.

    METHODS["gsam"].optimizer(sgd(lr=0.1), rho=0.05)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from minisam.optim.asam import asam
from minisam.optim.exact_sam import exact_sam
from minisam.optim.friendly_sam import friendly_sam
from minisam.optim.gsam import gsam
from minisam.optim.looksam import looksam
from minisam.optim.m_sam import m_sam
from minisam.optim.optimizer import Optimizer
from minisam.optim.perturbation import unnormalized_perturbation
from minisam.optim.sam import sam
from minisam.optim.schedule import Schedule
from minisam.optim.sgd import sgd
from minisam.optim.wsam import wsam


class Method(NamedTuple):
    """An optimizer by name: how to make it, what is its own, and where it is SAM.

    Attributes:
        make: ``(base, rho, **own) -> Optimizer``.
        own: its hyper-parameters beside ``rho`` and the base's, with their defaults.
        is_sam_at: the values of its own at which it is SAM; None if there are none.
        title: what tables call it; its name by default.
        radius: its usual ρ in units of SAM's.
        needs: what its ``value_and_grad`` has to carry: ``"hessian_product"``, ``"shards"``, or "".
    """

    make: Callable[..., Optimizer]
    own: Mapping[str, Any] = {}
    is_sam_at: Mapping[str, Any] | None = None
    title: str = ""
    radius: float = 1.0
    needs: str = ""

    def optimizer(
        self, base: Optimizer, rho: float | Schedule, given: Mapping[str, Any] = {}
    ) -> Optimizer:
        """Make the optimizer around a base.

        Args:
            base: such as ``sgd(lr=0.1)``.
            rho: radius ρ ≥ 0, or a function of the step count.
            given: hyper-parameters, of which those of its own are taken; others have defaults.

        Example:
            >>> from minisam.optim.sgd import sgd
            >>> opt = METHODS["wsam"].optimizer(sgd(lr=0.1), 0.05, {"gamma": 0.5, "eta": 0.1})
            >>> opt.update is None  # asks for its own gradients
            True
        """
        own = {key: given.get(key, default) for key, default in self.own.items()}
        return self.make(base, rho, **own)

    def elsewhere(self) -> dict[str, dict[str, Any]]:
        """Return its own hyper-parameters at other values than the defaults.

        Once where it is SAM, if it is so at 0 or at a whole number: there its terms vanish in every
        formula. Elsewhere they cancel, to a rounding that one formula makes and another does not.
        And once for each of its own with another value of that one: halfway to SAM's, or to 0; or
        else the double, or one more. ``p`` and words are left as they are.

        Example:
            >>> METHODS["gsam"].elsewhere()
            {'at-sam': {'alpha': 0.0, 'p': 2}, 'alpha': {'alpha': 0.1, 'p': 2}}
        """
        own, at_sam = dict(self.own), self.is_sam_at or {}
        vanish = all(value == 0 or isinstance(value, int) for value in at_sam.values())
        found = {"at-sam": {**own, **at_sam}} if vanish and {**own, **at_sam} != own else {}
        for name, value in own.items():
            for other in _others(value, at_sam.get(name, 0)) if name != "p" else ():
                if other != value and self._takes({**own, name: other}):
                    found[name.replace("_", "-")] = {**own, name: other}
                    break
        return found

    def _takes(self, own: Mapping[str, Any]) -> bool:
        """Return whether these values are allowed."""
        try:
            self.make(sgd(lr=0.1), 0.05, **own)
        except ValueError:
            return False
        return True


def _others(value: Any, toward: Any) -> tuple[Any, ...]:
    """Return values to try instead of one, the best first; none for what is no number."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return ((value + toward) // 2, value // 2, 2 * value, value + 1)
    if isinstance(value, float):
        return ((value + toward) / 2, value / 2, 2 * value, value + 1)
    return ()


def _friendly_sam(
    base: Optimizer, rho: float | Schedule, sigma: float, memory: float, p: float
) -> Optimizer:
    """Make Friendly SAM, whose ``decay`` would be taken for the kind of weight decay."""
    return friendly_sam(base, rho, sigma, memory, p)


METHODS: dict[str, Method] = {
    "sgd": Method(lambda base, rho: base, title="SGD"),
    "sam": Method(sam, {"p": 2}, {}, title="SAM"),
    "asam": Method(
        asam,
        {"eta": 0.01, "scope": "weights", "granularity": "element", "p": 2},
        title="ASAM",
        radius=10,
    ),
    "exact_sam": Method(exact_sam, title="exact SAM", needs="hessian_product"),
    "m_sam": Method(m_sam, {"p": 2}, title="m-SAM", needs="shards"),
    "gsam": Method(gsam, {"alpha": 0.2, "p": 2}, {"alpha": 0.0}, title="GSAM"),
    "looksam": Method(looksam, {"every": 5, "alpha": 0.7, "p": 2}, {"every": 1}, title="LookSAM"),
    "friendly_sam": Method(
        _friendly_sam, {"sigma": 1.0, "memory": 0.9, "p": 2}, {"sigma": 0.0}, title="Friendly SAM"
    ),
    "wsam": Method(wsam, {"gamma": 0.9, "p": 2}, {"gamma": 0.5}, title="WSAM"),
    "unnormalized_sam": Method(
        partial(sam, perturb=unnormalized_perturbation), title="unnormalized SAM"
    ),
}


def title_of(name: str) -> str:
    """Return what tables call a method.

    Example:
        >>> title_of("looksam")
        'LookSAM'
    """
    return METHODS[name].title or name
