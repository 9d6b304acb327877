"""What a reader is asked after a wrong answer on losses that one can draw: tutorials 1 to 4.

By the name of the skill. A question says what to think about, and neither the answer nor the line
that would be right.
"""

from __future__ import annotations

from minisam.lesson.slips import Questions, between, is_nan, multiple, plus, value

MINIMA = {
    "the gap at the sharp minimum": Questions(
        "Which two losses does the gap compare?",
        {
            "A gap is a difference. Of which two losses?": plus(0.05),
            "What stands before λ in the loss?": multiple(2),
            "With which δ, and which power of it?": value(0.5),
        },
    ),
    "the gap at the flat minimum": Questions(
        "Which two losses does the gap compare?",
        {
            "A gap is a difference. Of which two losses?": plus(0.05),
            "What stands before λ in the loss?": multiple(2),
            "With which δ, and which power of it?": value(0.03125),
            "Which curvature does this minimum have?": value(0.125),
        },
    ),
    "the gap at λ = 3, δ = −0.2": Questions(
        "What is L at the minimum, and what is it a distance δ away?",
        {
            "A gap is a difference. Of which two losses?": plus(0.05),
            "What stands before λ in the loss?": multiple(2),
            "Which power of the shift is in the loss?": value(-0.3, 0.3),
            "Is the curvature that is handed in the one that is used?": value(0.08),
        },
    ),
    "the gap at λ = 4, δ = ½": Questions("What is the gap for these two numbers, on paper?"),
    "the shift at which the sharp minimum is ten times worse": Questions(
        "What are the two whole test losses at your δ, and what is one over the other?",
        {
            "Which sign was asked for?": between(-9, 0),
            "Is that δ, or δ²?": value(0.6),
            "Does the 10 multiply both terms of the flat minimum's loss?": value(0.49),
        },
    ),
    "a learning rate at which the sharp minimum cannot hold SGD": Questions(
        "Where does it go in its first three steps?",
        {
            "By what does a step near the sharp minimum multiply w, and is that a shrinking?": (
                value("sharp")
            ),
            "Does it rest nowhere because neither minimum can hold it, or because a step is so "
            "long that it comes back to the left of the wall?": value("neither"),
        },
    ),
}

BY_HAND = {
    "d1, the gradient at A": Questions(
        "What is the gradient of the bowl at a point w?",
        {
            "Which row of H gives which component?": value((4, -2)),
            "Which way does a gradient point, up or down?": value((2, -4)),
            "At which A is that the gradient?": value((4, 3)),
        },
    ),
    "B, at a distance ρ": Questions(
        "How far is your B from A, and in which direction?",
        {
            "How long is that climb, and how long should it be?": value((-2, 6)),
            "Does that lie above A, or below?": value((0.447, 1.106)),
            "Is that B, or only the way to it?": value((-0.447, 0.894)),
        },
    ),
    "the step, from A along d2": Questions(
        "Which gradient is subtracted, and from which point?",
        {
            "At which point was that gradient taken?": value((0.25, 1.5)),
            "From which point does the step start?": value((0.25, 2.115)),
            "Which way is down?": value((-0.697, 2.779)),
        },
    ),
    "the step of this tutorial": Questions(
        "Which of d1, ε, B and d2 is the first that differs from those above?",
        {
            "At which point is the second gradient taken?": value((0.5, 1.625)),
            "Which way does the climb go?": value((1.025, 1.675)),
            "From which point does the step start?": value((0.775, 2.175), (-1.025, -0.425)),
            "How long is the climb, whatever the gradient?": value((-2.125, 1.375), (0.395, 1.615)),
            "Which way is down?": value((2.025, 2.425)),
        },
    ),
    "with other ρ and η": Questions(
        "If the step of this tutorial is right: are ρ and η used, or its numbers?"
    ),
    "a zero gradient": Questions(
        "Where is SAM if it does not climb, and where after a zero step?",
        {"What is a zero vector, divided by its length?": is_nan},
    ),
    "a start at which both steps point the same way": Questions(
        "Along which lines does H stretch a vector, and not turn it?",
        {
            "Is that the minimum?": value((0, 0)),
        },
    ),
    "how far SAM throws itself out": Questions(
        "Which distance do you divide by which?",
        {
            "Can a distance over a distance be negative?": multiple(-1),
            "Is ρ in it?": value(0.225, -0.225),
            "Is that the new distance, or the factor?": multiple(0.01),
        },
    ),
}

ESCAPE = {
    "one step": Questions(
        "At which point is the slope taken, and from which point does the step start?",
        {"Whose step is that, SAM's or SGD's?": value(0)},
    ),
    "the step after it": Questions(
        "On which side of 0 is it now, and which way is up there?",
        {"Below 0, which way is up?": value(-0.5)},
    ),
    "the bounce where λ = 1": Questions(
        "What does one step subtract from a, all in all, and where does it end?"
    ),
    "the bounce where λ = 3": Questions(
        "What does one step subtract from a, all in all, and where does it end?",
        {"Where is λ in it?": value(0.05), "Is a itself in what is subtracted?": value(0.24)},
    ),
    "the loss where λ = 1": Questions(
        "How far from the minimum is SAM, and what is L there?",
        {"What stands before λ in the loss?": multiple(2)},
    ),
    "the loss where λ = 3": Questions(
        "How far from the minimum is SAM, and what is L there?",
        {
            "What stands before λ in the loss?": multiple(2),
            "Is that the loss there, or the slope?": value(0.45, 0.9),
            "Is that the loss where SAM is, or where it looks?": value(0.375),
        },
    ),
    "the threshold: SAM stays 3 % below it, and leaves 3 % above": Questions(
        "Where is B at the bounce, and where does the well end?",
        {
            "Which λ does this well have?": value(0.275),
            "Where does this well end?": value(0.1),
        },
    ),
    "leaves from every start": Questions("Where does it begin to leave, at this η?"),
    "stays near the flat one": Questions("How far does it bounce in the flat well, with that λ?"),
}
