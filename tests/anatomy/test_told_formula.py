from anatomy.test_measuring import facts
from oracle.implementations import right

from minisam.anatomy.told_formula import laid_once


def test_a_step_is_laid_out_once_for_the_same_tensors_and_question():
    first, second, *_ = facts(right, "sam-three-tensors")
    one, *others = first.start
    asked, known = [], {}

    def at_hand(step, before, keys, wanted):
        asked.append((step.step, sorted({*keys} & {*step.start}), wanted))
        return len(asked)

    each = [
        laid_once(known, at_hand, step, {}, keys, wanted)
        for step in (first, second)
        for keys in ({one}, {one, "of another step"}, {*others})
        for wanted in (False, True)
    ]
    assert each == [1, 2, 1, 2, 3, 4, 5, 6, 5, 6, 7, 8]
    assert len({str(one) for one in asked}) == 8
