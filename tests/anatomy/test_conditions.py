import pytest

from minisam.anatomy.conditions import condition, kind_of


@pytest.mark.parametrize(("wrong", "right", "when"), [
    ([], [["a"]], ""),
    ([["a"]], [], "always"),
    ([["a", "b"], ["a"]], [["b"], []], "a"),  # what all of them have
    ([["b", "a"]], [[]], "b"),  # of two that tell as much, the first
    ([["a", "b"]], [["a"], ["b"]], "a, b"),  # both together
    ([["a"], ["b"]], [[]], ""),  # either of two is no condition
    ([["a"]], [["a"]], ""),
    ([["a"]], [["a"], ["b"], [], []], "a, not always"),
    ([["a", "b"]], [["a"], ["a", "b"], [], []], "b, not always"),
    ([["a"]], [["a"], ["a"], *[[]] * 6], ""),  # it is right as often
])  # fmt: skip
def test_the_condition_is_what_only_the_wrong_ones_have(wrong, right, when):
    assert condition(wrong, right) == when


def test_tensors_are_named_by_what_they_have_in_common():
    axes = {"a.weight": 2, "a.bias": 1, "b.weight": 1, "b.bias": 1}
    names = list(axes)
    for some, told in (
        (names, ""),
        (["a.bias", "b.bias"], "the biases"),
        (["a.weight", "b.weight"], "all tensors but the biases"),
        (["b.bias"], "the last tensor"),
        (names[1:], "all tensors but the first"),
        (["a.bias", "b.weight"], ""),
    ):
        assert kind_of([(some, axes)]) == told
    axes["b.weight"] = 3
    other = {"norm": 1, "fc": 2}
    assert kind_of([(["a.bias", "b.bias"], axes), (["norm"], other)]) == "the tensors of one axis"
    mixed = {"norm": 1, "fc": 2, "scale": 1, "head": 3, "shift": 1}
    assert kind_of([(["fc", "head"], mixed)]) == "the tensors of several axes"
