import re

import pytest

from minisam.lesson.skills import QUESTIONS
from minisam.lesson.slips import GENERAL

EVERY = [*GENERAL, *(q for asked in QUESTIONS.values() for q in (asked.otherwise, *asked.slips))]


@pytest.mark.parametrize("question", sorted(set(EVERY)))
def test_a_question_asks_and_gives_neither_a_number_nor_a_formula(question):
    assert question.endswith("?")
    assert not re.search(r"\d\.\d|=|\*|\(w", question)
    assert len(question) <= 140
