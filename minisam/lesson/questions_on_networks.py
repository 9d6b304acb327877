"""What a reader is asked after a wrong answer on networks and on tests: tutorials 5 to 9.

By the name of the skill. A question says what to think about, and neither the answer nor the line
that would be right.
"""

from __future__ import annotations

from minisam.lesson.slips import Questions, between, multiple, value

LIES = {
    "what the network points at, by hand": Questions(
        "Which labels does it contradict, and how many of those are wrong?",
        {
            "A share of what: of the wrong labels, or of the contradicted ones?": value(1 / 3),
            "Wrong by the truth, or by the network?": value(1.0),
            "A share of what?": value(0.2, 0.4),
        },
    ),
    "a network that knows the truth": Questions("What does such a network contradict?"),
    "points lost, by hand": Questions(
        "Of each run, which two epochs are compared?",
        {
            "Is a share asked for, or points?": value(0.1),
            "The best epoch of which run?": value(5.0),
            "Best against last, or against worst?": value(20.0),
        },
    ),
    "SGD loses most": Questions("Which of the three loses most in the picture?"),
    "symmetric over pair noise": Questions(
        "In which epoch, in the mean over how many seeds?",
        {
            "Which of the two is subtracted from which?": between(-99, -1),
            "Is a share asked for, or points?": between(-1, 1),
        },
    ),
}

CURVATURE = {
    "H v on a cubic": Questions(
        "How far apart are the two points, and what is the difference divided by?",
        {
            "Is the difference divided by how far apart the points are?": multiple(2e-6),
            "How far apart are the two points?": multiple(2, 0.5),
        },
    ),
    "H v of the network": Questions(
        "Is it a difference of the `gradient` that is handed in, at w, along v?"
    ),
    "the step at which H v is most exact": Questions(
        "How large is the error at your s, and at ten times and a tenth of it?",
        {
            "Does a ReLU open or close between two points that far apart?": between(2e-6, 9e9),
            "How many digits do two gradients that near have in common?": between(0, 9e-9),
        },
    ),
    "of a small matrix": Questions(
        "How long is v after the last product, and what does ⟨v, H v⟩ ask of it?",
        {"Is that the λ of the vector that you began with?": between(1, 4)},
    ),
    "of −3 and 2 it is −3": Questions(
        "Is ⟨v, H v⟩ taken of a vector of length one, and with its sign?",
        {"Can a length tell the sign of λ?": value(3)},
    ),
    "of the network": Questions(
        "If the small ones are right: after how many steps does it change no more?"
    ),
    "exact SAM's gradient": Questions(
        "What are ĝ, d2 and H (d2 − ĝ⟨ĝ, d2⟩) on the bowl, by hand?",
        {
            "Where is the term that SAM drops?": value((6.1, 3.2)),
            "Can ε grow longer with w, or only turn?": value((9.44, 3.23)),
            "Where is the climb?": value((4, 3)),
            "What is ρ divided by?": value((8.516, 1.988)),
        },
    ),
}

UNITS = {
    "the curvature at (5, ⅕)": Questions(
        "What are u² and v² there?",
        {
            "Is every digit there?": value(25),
            "At which of the two points is that the curvature?": value(2),
            "Which power of u and of v?": value(5.2),
        },
    ),
    "how far ASAM's ball reaches": Questions(
        "How long is a vector of n equal shares?",
        {
            "Is that one weight, or the length of all together?": value(50),
            "How does the length of n equal numbers grow with n?": value(0.0066121),
        },
    ),
    "is 0 on a flat loss": Questions("What does it measure where nothing that you do changes L?"),
    "does not notice a = 5": Questions("Is what you do to a weight a share of its own size?"),
    "nor a = 100": Questions("Is what you do to a weight a share of its own size?"),
    "but another network": Questions("Does it look at the loss at all?"),
    "is none of the five": Questions("Which of the five is it?"),
    "SAM's ρ, carried over": Questions(
        "By how much does it raise the loss at `same`: by more than is wanted, or by less?",
        {"At which of the two networks is that SAM's ρ?": value(0.05)},
    ),
    "ASAM's ρ, carried over": Questions(
        "By how much does it raise the loss at `same`, and in which units is this ball round?"
    ),
}

TABLES = {
    "the share of choices of two": Questions(
        "How many choices of two are there, and of how many is `low` above 0?",
        {
            "Is that a share, or a number of choices?": between(1.01, 10),
            "Is a share asked for, or a percentage?": between(10, 100),
        },
    ),
    "the fair difference": Questions(
        "Which two rows of `runs` take the same time, and which is subtracted from which?"
    ),
    "paired by seed": Questions("Is that an interval of three differences, each of one seed?"),
    "a gain as large as the spread": Questions(
        "Is half of the interval smaller than the gain at your n, and not yet at n − 1?",
        {"Does t stay the same when n grows?": value(4)},
    ),
    "half as large": Questions(
        "Is n the first at which half of the interval is smaller?",
        {"Does t stay the same when n grows?": value(15, 16)},
    ),
    "a tenth as large": Questions(
        "Is n the first at which half of the interval is smaller?",
        {
            "Does t stay the same when n grows?": between(384, 385),
            "Is n the first, or is one before it enough?": between(388, 400),
        },
    ),
}

WRONG_ONES = {
    "passes one step": Questions(
        "With a single tensor, does its step differ from the right one?",
        {"Is that a name in `wrong`?": lambda yours, right: "-" not in yours},
    ),
    "is caught with two tensors": Questions(
        "What can go wrong between two tensors that cannot within one?"
    ),
    "raises no false alarm": Questions(
        "Does it bear rounding? And what are d1, ε, B, d2 and the end, by hand?"
    ),
    "catches a third": Questions("Does it look at the loss, or at where the step ends?"),
    "accuses no right one": Questions("Which of your conditions does `right` not pass?"),
    "catches half": Questions("Which of the five tests does it hold, and with how many tensors?"),
    "catches seven in ten": Questions(
        "What does a wrong SAM have to be given before a slip in momentum or decay can show?"
    ),
}
