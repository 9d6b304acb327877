import numpy as np
import pytest

from minisam.experiments.training import made_for, make_optimizer, records, rising


def test_schedules_rise_in_their_share_of_the_steps():
    settings = {"batch_size": 20, "lr": 1.0, "lr_warmup": 0.5, "epochs": 2}
    _, training = records(settings)
    optimizer, _ = made_for(training, examples=60)  # three steps an epoch, six in all
    w, taken = {"w": np.zeros(1)}, []
    state = optimizer.init(w)
    for _ in range(6):
        before = w["w"][0]
        w, state, _ = optimizer.step(w, state, lambda w: (0.0, {"w": np.ones(1)}, {}))
        taken.append(before - w["w"][0])
    velocity = 1 - 0.9 ** np.arange(1, 7)  # times 10, of momentum 0.9 and a gradient of 1
    rates = np.array(taken) / (10 * velocity)
    after = 0.5 * (1 + np.cos(np.pi * np.arange(3) / 3))
    np.testing.assert_allclose(rates, [0.25, 0.5, 0.75, *after], rtol=1e-2)  # weight decay is small
    assert rising(0.4, 0.0, 10)(0) == 0.4
    with pytest.raises(ValueError, match="share must be a number"):
        rising(0.4, 1.5, 10)


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ValueError, match=r"optimizer must be one of .*'sam'.*, got 'adam'"):
        make_optimizer("adam", 0.1, 0.0, 0.0)
