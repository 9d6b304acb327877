import pytest
from oracle import implementations as known

from minisam.adapters.plain import as_adapter
from minisam.oracle.probes import PROBES, SCALAR, Probe
from minisam.oracle.shrinking import TRIES
from minisam.oracle.situations import GEOMETRIES, fits, material, situations, specials_of
from minisam.oracle.watch import watch


@pytest.mark.parametrize(("settings", "makes_sense"), [
    ({"lr": [0.25]}, False),  # no schedule
    ({"lr": [0.25, 0.125]}, True),
    ({"frozen": ["bias"]}, False),  # which is not there
    ({"frozen": ["weight"]}, True),
])  # fmt: skip
def test_a_schedule_has_steps_and_what_is_named_is_there(settings, makes_sense):
    assert fits(Probe("x", {"method": "sam", **settings}, {"weight": (2,)}, 2)) == makes_sense


@pytest.mark.parametrize("slug", PROBES)
def test_every_situation_of_every_probe_makes_sense(slug):
    probe = PROBES[slug]
    trace = watch(as_adapter(known.half_climb), probe, "float64")
    found = list(situations(trace))
    assert found
    for situation in found[:TRIES:7]:
        drawn = material(situation, "float32")
        small = situation.probe
        assert fits(small)
        assert len(drawn.gradients) == small.steps <= probe.steps
        assert [x.shape for x in drawn.params] == list(small.shapes.values())
        assert small.shapes in (*GEOMETRIES, *([SCALAR] if probe.shapes == SCALAR else []))
        assert {*small.settings} <= {*probe.settings, "rho", "lr", "eta"}
        assert set(specials_of(small)) <= {*specials_of(probe), "rho", "lr", "eta"}
