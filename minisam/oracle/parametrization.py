"""Turn the oracle into parametrized pytest tests, one per probe and dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minisam.adapters.plain import as_adapter
from minisam.adapters.protocol import Adapter
from minisam.isolation.limits import check_seconds
from minisam.optim.methods import METHODS
from minisam.oracle.checking import choose, choose_probes, examine, name_of
from minisam.oracle.explanation import first_wrong
from minisam.oracle.looks import looks_like
from minisam.oracle.parts import convention_part
from minisam.oracle.probes import Probe
from minisam.oracle.watch import watch
from minisam.rounding import UNITS
from minisam.variants.conventions import check_declared


class Case(NamedTuple):
    """One probe in one dtype; call it with an adapter."""

    probe: Probe
    dtype: str
    declare: dict[str, Any]
    known: dict[str, str]
    timeout: float = 60.0

    def __repr__(self) -> str:
        return f"{self.probe.slug}-{self.dtype}"

    def __call__(self, adapter: Adapter, timeout: float | None = None) -> None:
        """Run it; raise an AssertionError that says what is wrong, or skip and say why."""
        import pytest  # an extra: the oracle itself does not need it

        timeout = self.timeout if timeout is None else timeout
        check_seconds("timeout", timeout)
        base = convention_part(self.declare)
        adapter = as_adapter(adapter)
        trace = watch(adapter, self.probe, self.dtype, base.settings, timeout)
        result, _, judgement = examine(trace, base, self.known)
        if result.status == "not run":
            pytest.skip(result.reason)
        if result.status in ("known", "out of range"):
            pytest.xfail(result.reason)
        if result.status == "error":
            raise AssertionError(f"adapter error in {self!r}: {result.reason}")
        if result.status == "fail":
            assert judgement is not None
            looks = looks_like(trace, judgement)
            raise AssertionError(f"{first_wrong(trace, judgement)}. {looks}".strip())


def cases(
    adapter: Adapter,
    dtype: str | Sequence[str] | None = None,
    declare: dict[str, Any] | None = None,
    known: dict[str, str] | None = None,
    method: str | Sequence[str] | None = None,
    timeout: float = 60.0,
) -> list[Case]:
    """Return the probes that an adapter claims to stand."""
    adapter = as_adapter(adapter)
    check_seconds("timeout", timeout)
    declare, known = dict(declare or {}), dict(known or {})
    check_declared(declare)
    methods = choose("method", method, getattr(adapter, "methods", ("sam",)), tuple(METHODS))
    everything = getattr(adapter, "dtypes", ("float64", "float32"))
    dtypes = choose("dtype", dtype, everything, tuple(UNITS))
    return [
        Case(probe, one, declare, known, timeout)
        for one in dtypes
        for probe in choose_probes(None, known, methods)
        if probe.method in methods and probe.runs_in(one, dtypes)
    ]


def parametrize(adapters: Adapter | Sequence[Adapter], **options: Any) -> Any:
    """Parametrize a pytest test with the oracle's probes: a mark for ``def test(adapter, probe)``.

    Args:
        adapters: one implementation or several.
        **options: ``dtype``, ``declare``, ``known``, ``method`` and ``timeout``, as for `check`.

    Example:
        In a test module, one test per probe and dtype::

            from minisam import oracle

            @oracle.parametrize(oracle.plain(my_step), declare={"norm_epsilon": 1e-12})
            def test_my_sam(adapter, probe):
                probe(adapter)
    """
    import pytest  # an extra: the oracle itself does not need it

    several = [adapters] if callable(adapters) else list(adapters)
    parameters = [
        pytest.param(adapter, case, id=f"{name_of(adapter)}-{case!r}")
        for adapter in several
        for case in cases(adapter, **options)
    ]
    return pytest.mark.parametrize(("adapter", "probe"), parameters)
