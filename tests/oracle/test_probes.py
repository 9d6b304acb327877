import zlib

import numpy as np
import pytest

from minisam.adapters.library import adapter_of, optimizer_of
from minisam.adapters.plain import plain
from minisam.optim import METHODS
from minisam.oracle.checking import check
from minisam.oracle.judge import judge
from minisam.oracle.probes import PROBES, probes_of, script
from minisam.oracle.watch import watch
from minisam.rounding import UNITS, to_unit
from minisam.variants.recipe import TAKEN_APART


def fingerprint(drawn):
    arrays = [*drawn.params, *(g for step in drawn.gradients for a in step for s in a for g in s)]
    return zlib.crc32(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays))


@pytest.mark.fault("same-elsewhere", "oracle.probes")
def test_a_slug_stands_for_the_same_numbers_for_ever():
    # A change here changes what a slug means: give the new probe a new slug instead.
    assert fingerprint(script(PROBES["sam-one-tensor"], "float64")) == FINGERPRINTS[0]
    assert fingerprint(script(PROBES["asam-momentum"], "float32")) == FINGERPRINTS[1]
    assert fingerprint(script(PROBES["sam-shards"], "bfloat16")) == FINGERPRINTS[2]
    assert fingerprint(script(PROBES["sam-weight-decay"], "float64")) == FINGERPRINTS[3]  # AVX-512


FINGERPRINTS = (4017185451, 17569186, 1866237233, 3163093262)


def test_scripts_can_be_held_by_their_dtype():
    for dtype, unit in UNITS.items():
        for probe in PROBES.values():
            drawn = script(probe, dtype)
            for array in [*drawn.params, *drawn.gradients[0][0][0]]:
                np.testing.assert_array_equal(to_unit(array, unit), array)
                assert array.dtype == (np.float64 if dtype == "float64" else np.float32)


def test_another_seed_gives_another_script_of_the_same_kind():
    probe = PROBES["sam-gradient-zero-at-B"]
    one, other = script(probe, "float64", 0), script(probe, "float64", 1)
    assert (one.params[0] != other.params[0]).all()
    assert not np.any(other.gradients[0][1][0][0])


def test_specials_are_what_they_say():
    def gradients(slug, step=0, answer=0):
        return script(PROBES[slug], "float64").gradients[step][answer][0]

    assert not any(g.any() for g in gradients("sam-gradient-zero"))
    assert all(g.any() for g in gradients("sam-gradient-zero-at-B"))
    assert not any(g.any() for g in gradients("sam-gradient-zero-at-B", answer=1))
    assert [g.any() for g in gradients("sam-tensor-zero")] == [False, True, True]
    assert np.isnan(gradients("sam-nan-then-sound")[0]).sum() == 1
    assert np.isfinite(gradients("sam-nan-then-sound", step=1)[0]).all()
    assert set(np.abs(gradients("sam-gradient-ties")[0]).ravel()) == {0.5}


def test_extreme_probes_are_those_whose_squares_leave_the_range():
    for probe in PROBES.values():
        for dtype in UNITS:
            kind = np.float64 if dtype == "float64" else np.float32
            gradients = script(probe, dtype).gradients[0][0][0]
            whole = np.concatenate([g.ravel() for g in gradients]).astype(kind)
            with np.errstate(all="ignore"):
                square = np.sum(whole * whole)
            safe = not whole.any() or np.isnan(square) or np.finfo(kind).tiny < square < np.inf
            assert safe != probe.extreme, (probe.slug, dtype)


OWN = [
    (method, key)
    for method, row in METHODS.items()
    if method not in TAKEN_APART
    for key in row.own
    if key != "p"
]


@pytest.mark.fault("cannot-fail", "minisam check")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("method", "key"), OWN)
def test_a_follow_up_that_ignores_one_of_its_own_does_not_conform(method, key, dtype):
    def ignores(hp):
        return optimizer_of({**hp, key: METHODS[method].own[key]})

    report = check(adapter_of(ignores), method=method, dtype=dtype)
    assert report.verdict == "bug: unidentified"
    failing = {one.probe for one in report.results if one.status == "fail"}
    own = {probe.slug for probe in probes_of(method) if "-own-" in probe.slug}
    assert f"{method.replace('_', '-')}-own-{key}" in failing <= own


def wsam_as_it_is_written(w, grad_fn, *, rho, lr, gamma):
    d1 = grad_fn(w)
    length = np.sqrt(sum(np.sum(g * g) for g in d1))
    d2 = grad_fn([x + rho * g / length if length else x for x, g in zip(w, d1, strict=True)])
    share = gamma / (1 - gamma)
    return [x - lr * (p + share * (q - p)) for x, p, q in zip(w, d1, d2, strict=True)]


def alarms(probe):
    """The scripts of a probe, of forty, in which WSAM as it is written differs too much."""
    seen = (watch(plain(wsam_as_it_is_written), probe, "float64", seed=seed) for seed in range(40))
    return [trace for trace in seen if not judge(trace).agrees]


def test_a_right_follow_up_in_another_formula_raises_no_alarm():
    (probe,) = (probe for probe in probes_of("wsam") if "-own-" in probe.slug)
    assert alarms(probe) == []
    # The reference takes d2 where WSAM is SAM, which is a rounding off d1 + (d2 - d1).
    where_it_is_sam = probe.settings | METHODS["wsam"].is_sam_at
    assert alarms(probe._replace(slug="wsam-own-at-sam", settings=where_it_is_sam))
