import pytest

from minisam.anatomy.sums import Term, simple, sum_in_words


@pytest.mark.parametrize(("number", "text"), [
    (1, ""), (2, "2"), (0.5, "1/2"), (1.5, "3/2"), (2**0.5, "√2"), (1024, "1024"), (0.05, "0.05"),
    (0.123456, "0.1235"),
])  # fmt: skip
def test_numbers_are_written_as_they_may_have_been(number, text):
    assert simple(number)[0] == text


@pytest.mark.parametrize(("terms", "text"), [
    ([("−", "", "lr", "", "d2")], "A − lr d2"),
    ([("−", "", "lr", "", "d2"), ("−", "", "lr", "", "d1")], "A − lr (d2 + d1)"),
    ([("", "2", "", "", "d1"), ("−", "", "lr", "‖d1‖", "d2")], "A + 2 d1 − lr d2/‖d1‖"),
    ([("−", "", "", "", "A"), ("", "", "", "", "d2")], "d2"),
    ([("−", "1/2", "lr λ", "", "A"), ("−", "", "lr", "", "d2")], "(1 − 1/2 lr λ) A − lr d2"),
    ([("", "", "", "", "A")], "(1 + 1) A"),
])  # fmt: skip
def test_a_sum_is_written(terms, text):
    assert sum_in_words([Term(*term, cost=0.0) for term in terms], "A") == text


def test_a_sum_that_starts_with_nothing_starts_with_its_sign():
    assert sum_in_words([Term("−", "", "ρ", "‖d1‖", "d1", 0.0)]) == "−ρ d1/‖d1‖"
