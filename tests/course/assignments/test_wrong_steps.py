from minisam.course.assignments.wrong_steps import CODES, PAPERS, in_numbers, paper


def test_every_mistake_shows_in_the_numbers():
    assert len({in_numbers(code) for code in CODES}) == len(CODES)


def test_no_mistake_is_asked_for_twice_and_none_is_left_out():
    assert sorted(code for three in PAPERS for code in three) == sorted(CODES)


def test_a_paper_does_not_say_what_is_wrong():
    for number in range(len(PAPERS)):
        assert not any(code in line for line in paper(number) for code in CODES)
