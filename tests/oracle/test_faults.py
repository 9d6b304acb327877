from oracle import implementations as known

from minisam.oracle.checking import check


def test_where_it_stops_is_told_beside_what_is_wrong():
    def step(w, grad_fn, *, rho, lr):
        if len(w) == 6:
            raise ValueError("six are too many")
        return known.half_climb(w, grad_fn, rho=rho, lr=lr)

    report = check(step, ["float64", "float32"])
    told = next(line for line in report.advice if line.startswith("It stops in "))
    assert told.startswith("It stops in sam-six-tensors, float64, and in 1 more of ")
    assert "ValueError: six are too many (test_faults.py, line" in told
    assert "It stops in sam-six-tensors" in str(report)  # on the one screen that is shown
    assert "It stops" not in " ".join(check(known.half_climb, "float64").advice)
