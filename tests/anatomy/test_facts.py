"""What one step did, and whether a reader would see that something is wrong with it."""

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.plain import as_adapter
from minisam.anatomy.facts import plain_to_see
from minisam.anatomy.measuring import facts_of
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.trees import add_scaled, subtract


@pytest.mark.fault("special-value", "anatomy")
def test_a_number_that_is_none_is_plain_to_see():
    (facts, *_) = facts_of(watch(as_adapter(known.right), PROBES["sam-one-tensor"], "float64"))
    assert not plain_to_see(facts)
    for name in ("cosine", "ratio"):
        assert plain_to_see(facts._replace(climb=facts.climb._replace(**{name: np.nan})))
    assert plain_to_see(facts._replace(end={key: x * np.nan for key, x in facts.end.items()}))


@pytest.mark.parametrize(("off", "seen"), [(0.005, False), (0.015, True)])
def test_what_is_wrong_by_more_than_a_hundredth_is_plain_to_see(off, seen):
    (facts, *_) = facts_of(watch(as_adapter(known.right), PROBES["sam-one-tensor"], "float64"))
    for climb in ({"cosine": 1 - off}, {"ratio": 1 - off}, {"ratio": 1 + off}):
        assert plain_to_see(facts._replace(climb=facts.climb._replace(**climb))) == seen
    step = subtract(facts.expected, facts.start)
    assert plain_to_see(facts._replace(end=add_scaled(facts.expected, off, step))) == seen
