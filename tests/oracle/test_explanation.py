import pytest
from oracle import implementations as known
from oracle.seen import judged

from minisam.adapters.plain import as_adapter
from minisam.oracle.explanation import first_wrong


def test_small_differences_are_shown_in_full():
    trace, judgement = judged(as_adapter(known.with_epsilon), "sam-one-tensor")
    text = first_wrong(trace, judgement)
    is_, should_be = text.split(" is ")[1].split(";")[0].split(", should be ")
    assert float(is_) != float(should_be)
    assert "where rounding explains" in text


@pytest.mark.fault("said-of-the-data", "oracle.check")
def test_both_numbers_of_gradients_are_told():
    def zero_over_zero(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        b = [x + rho * g / known.length_of(d1) for x, g in zip(w, d1, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    def thrice(w, grad_fn, *, rho, lr):
        grad_fn(w)  # again at A: that is no other gradient
        new = known.right(w, grad_fn, rho=rho, lr=lr)
        grad_fn([x + 1 for x in w])
        return new

    def once(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    for step, slug, told in (
        (zero_over_zero, "sam-gradient-zero", "asked for 2 gradients, should be 1; B is NaN"),
        (thrice, "sam-one-tensor", "asked for 3 gradients, should be 2"),
        (once, "sam-one-tensor", "asked for 1 gradient, should be at least 2"),
        (known.does_nothing, "sam-one-tensor", "asked for 0 gradients, should be at least 1"),
    ):
        text = first_wrong(*judged(as_adapter(step), slug))
        assert text == f"the number of gradients (probe {slug}, float64, step 1): {told}"
