import pytest

from minisam.experiments.edges import at_the_edge


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([{"rho": 0.1}, {"rho": 0.2}, {"rho": 0.4}], []),
        ([{"rho": 0.2}, {"rho": 0.4}, {"rho": 0.4, "lr": 0.1}], ["SAM, noise 0.4: rho = 0.2"]),
        ([{"rho": 0.4}, {"rho": 0.2, "lr": 0.1}, {"rho": 0.1, "lr": 0.2}],
         ["SAM, noise 0.4: lr = 0.1"]),
        ([{"loss_options": {"q": 0.3}}, {"loss_options": {"q": 0.7}}, {}],
         ["SAM, noise 0.4: q = 0.7"]),
        ([{"m": 4, "rho": 0.1}, {"m": 4, "rho": 0.2}, {"m": 4, "rho": 0.4}], []),
    ],
)  # fmt: skip
def test_choices_at_the_edge_are_named(settings, expected):
    scores = [0.0, 1.0, 0.5] if settings[0] != {"rho": 0.2} else [1.0, 0.5, 0.0]
    search = [
        {"method": "SAM", "noise": 0.4, "settings": option, "validation": score, "seeds": [1]}
        for option, score in zip(settings, scores, strict=True)
    ]
    assert at_the_edge(search) == expected
