import zlib

import numpy as np
import pytest

from minisam.oracle.probes import PROBES, script
from minisam.rounding import UNITS, to_unit


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
