import numpy as np

from minisam.adapters.plain import plain
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch


def test_asking_again_at_the_same_point_gives_the_same_answer():
    answers = []

    def curious(w, grad_fn, *, rho, lr):
        answers.append((grad_fn(w), grad_fn(w), grad_fn([x + 1 for x in w])))
        return w

    watch(plain(curious), PROBES["sam-one-tensor"], "float64")
    first, again, elsewhere = answers[0]
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != elsewhere[0]).any()


def test_shards_answer_one_by_one_or_averaged():
    seen = {}

    def adapter(params, hp):
        def run(grad_fn):
            parts = [shard(params) for shard in grad_fn.shards]
            seen["parts"], seen["whole"] = parts, grad_fn(params)
            return params

        return run

    adapter.features = {"shards"}
    watch(adapter, PROBES["sam-shards"], "float64")
    for a, b, mean in zip(*seen["parts"], seen["whole"], strict=True):
        np.testing.assert_allclose((a + b) / 2, mean, rtol=1e-15)
