"""The trial on one GPU, at its smallest and on the processor."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
AT_SCALE = Path(__file__).parent.parent.parent / "tutorials" / "at_scale"
SMOKE = ["--smoke", "--device", "cpu"]


@pytest.fixture
def module(monkeypatch):
    """Import a file of the folder by its name, and forget it after the test."""
    monkeypatch.syspath_prepend(str(AT_SCALE))
    for path in AT_SCALE.glob("*.py"):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    yield importlib.import_module
    for path in AT_SCALE.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_the_rate_rises_and_falls_along_straight_lines(module):
    training = module("training")
    settings = training.Settings(lr=0.5)
    rates = [training.rate(settings, step, 20) for step in range(20)]
    rise = [0.5 * step / 3 for step in (1, 2, 3)]  # 15 % of 20 steps
    assert rates == pytest.approx([*rise, *(0.5 * left / 17 for left in range(17, 0, -1))])
    assert training.rate(settings, 0, 1) == 0.5


def test_an_image_is_cropped_anywhere_and_half_of_them_are_mirrored(module):
    network = module("network")
    n, side, pad = 512, 5, 4
    image = torch.arange(1, 3 * side * side + 1.0).reshape(3, side, side)  # 0 is beside it
    around = torch.zeros(3, side + 2 * pad, side + 2 * pad)
    around[:, pad:-pad, pad:-pad] = image
    crops = [around[:, i : i + side, j : j + side] for i in range(9) for j in range(9)]
    may_be = torch.stack([*crops, *(crop.flip(2) for crop in crops)]).flatten(1)
    found = network.crop_and_flip(image.expand(n, -1, -1, -1), torch.Generator().manual_seed(0))
    hits = (found.flatten(1)[:, None] == may_be).all(2)
    assert bool((hits.sum(1) == 1).all())
    which = hits.int().argmax(1)
    mirrored, place = which // 81, which % 81
    # that one of nine is missing has a probability below 9 (8/9)^512, and that the share is as far
    # from a half as this one below 2 exp(−2 · 512 · 0.2²): both are less than 10⁻¹⁷
    top, left = place // 9, place % 9
    assert {*top.tolist()} == {*left.tolist()} == {*range(9)}
    assert bool((top != left).any())  # each way by itself
    assert 0.3 < mirrored.float().mean() < 0.7


def test_accuracies_count_true_labels_in_the_test_and_those_to_learn_elsewhere(module):
    training = module("training")

    def part(answers, labels, clean):
        images = torch.nn.functional.one_hot(torch.tensor(answers), 3).float()
        return training.Part(images, torch.tensor(labels), torch.tensor(clean))

    data = {
        "train": part([0, 2, 0, 2, 1], [0, 1, 0, 2, 2], [0, 1, 2, 0, 1]),  # three labels are wrong
        "test": part([0, 1, 2, 0], [1, 1, 1, 1], [0, 1, 0, 1]),
        "held out": part([0, 1, 0, 1, 0], [0, 0, 0, 1, 0], [1, 1, 1, 1, 1]),
    }
    model = torch.nn.Identity()
    right = {"test": 50.0, "train": 60.0, "validation": 80.0, "memorized": 200 / 3}
    assert training.accuracies(model, data) == pytest.approx(right)
    assert model.training
    clean = data["train"]._replace(labels=data["train"].clean_labels)
    assert {*training.accuracies(model, {**data, "train": clean})} == {*right} - {"memorized"}
    del data["held out"]
    assert {*training.accuracies(model, data)} == {*right} - {"validation"}


@pytest.mark.parametrize("best", range(6))
def test_the_search_ends_where_both_sides_are_worse(module, best):
    cifar = module("cifar")
    asked = []

    def score(option):
        asked.append(option)
        return -abs(option - best)

    assert cifar.uphill(list(range(6)), score, at=2) == best
    assert {*asked} >= {max(0, best - 1), best, min(5, best + 1)}


def test_learning_rate_and_decay_are_chosen_on_clean_labels_and_radii_on_noisy_ones(module):
    cifar = module("cifar")
    base = cifar.Settings(noise=0.6, seed=7)

    def run(one):
        assert one.seed == cifar.SEARCH_SEED
        assert (one.noise == 0) == (one.method == "sgd")
        return {"validation": -abs(one.lr - 0.4) - one.weight_decay - abs(one.rho - 0.4)}

    sgd = cifar.chosen(run, base, "sgd")
    assert (sgd.lr, sgd.weight_decay, sgd.noise, sgd.rho) == (0.4, 5e-4, 0.6, 0)
    assert cifar.chosen(run, base, "twice") == sgd._replace(epochs=2 * base.epochs)
    assert cifar.chosen(run, base, "sam") == sgd._replace(method="sam", rho=0.4)


def test_a_seed_counts_when_all_its_methods_ran(module):
    cifar = module("cifar")
    runs = iter(range(100))

    def run(one):
        if one.seed == 1 and one.method == "sam":
            raise cifar.OutOfTime("needs an hour")
        return {"settings": one._asdict(), "validation": 0.0, "last": next(runs)}

    found = cifar.study(run, {"40% noise": cifar.Settings()}, ["sam", "sgd", "asam"], seeds=2)
    pairs = [(one["method"], one["seed"]) for one in found["runs"]]
    assert pairs == [("SGD", 0), ("SAM", 0), ("ASAM", 0), ("ASAM", 1)]
    assert found["left_out"] == ["40% noise, SGD and SAM: needs an hour"]


@pytest.mark.parametrize(
    ("train", "twice", "told"),
    [
        (95.0, None, "shows: +4.1 ± 1.3 points over SGD, 40% noise"),
        (60.0, None, "under-fitted: +4.1 ± 1.3 points over SGD, 40% noise"),
        (60.0, (0.0, 0.5), "shows: +4.1 ± 1.3 points over SGD, 40% noise"),
        (
            60.0,
            (3.0, 3.0),
            "undecided: +1.6 ± 7.6 points over SGD, twice the epochs, 40% noise",
        ),
        (60.0, (3.0,), "under-fitted: +4.1 ± 1.3 points over SGD, 40% noise"),
    ],
)
def test_sam_is_held_against_the_better_of_sgd_and_sgd_for_twice_the_epochs(
    module, train, twice, told
):
    cifar = module("cifar")
    given = {"SGD": (0.0, 1.0), "SAM": (4.0, 5.2), "SGD, twice the epochs": twice or ()}
    runs = [
        {
            "method": method,
            "problem": "40% noise",
            "seed": seed,
            "last": last,
            "train": train,
            "rho": 0,
        }
        for method, values in given.items()
        for seed, last in enumerate(values)
    ]
    found = cifar.headline("table4", runs)
    assert f"{found.word}: {found.number}" == told
    assert found.train == train
    assert cifar.headline("table4", runs[:3]).word == "not run"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("method", ["sgd", "sam", "asam"])
def test_a_captured_step_does_what_the_eager_one_does(module, method):
    training = module("training")
    ends = []
    for form in ("take", "eager"):
        step = training.Step(method, 4, 10, 16, "cuda")
        step.start(training.Settings(method=method, rho=0.1, weight_decay=0.1, seed=3))
        for k in range(3):
            torch.manual_seed(k)
            step.images.copy_(torch.randn(16, 3, 32, 32))
            step.labels.copy_(torch.randint(10, (16,)))
            step.lr.fill_(0.1 * (k + 1))
            getattr(step, form)()
        ends.append(torch.cat([x.flatten().float() for x in step.model.state_dict().values()]))
    captured, eager = ends
    # products are in bfloat16, and no two algorithms sum in the same order: 2⁻⁸ a product
    assert float((captured - eager).norm() / eager.norm()) < 0.02


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_its_climb_and_descent_conform_as_graphs_too(module):
    assert module("judge").judge("cuda", "captured", ["float32"]).conforms


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_they_conform_compiled(module):
    probes = ["sgd-momentum", "sam-three-tensors", "sam-momentum", "asam-three-tensors"]
    report = module("judge").judge("cuda", "compiled", ["float32"], probes=probes)
    assert report.conforms
    assert report.ran == len(probes)


def test_it_judges_its_step_and_then_trains(module, monkeypatch, tmp_path, capsys):
    command = [sys.executable, AT_SCALE / "cifar.py", *SMOKE, "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "epoch" in done.stderr
    for name in ("table4", "table1", "width"):
        record = json.loads((tmp_path / f"{name}.json").read_text())
        assert record["oracle"]["verdict"] == "conforms"
        assert {run["method"] for run in record["results"]["runs"]} >= {"SGD", "SAM", "ASAM"}
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
        page = (tmp_path / f"{name}.md").read_text()
        assert record["claim"] in page
        assert "| SAM − SGD, paired | " in page
        assert "Not all runs are of one machine" not in page
        assert f"Here ({record['device']}): " in page
    for run in json.loads((tmp_path / "runs.json").read_text()):
        assert (run["device"], run["versions"]["torch"]) == (record["device"], torch.__version__)
    cifar = module("cifar")
    monkeypatch.setattr(cifar, "judge", conforming)
    assert cifar.main(["table4", *SMOKE, "--out", str(tmp_path)]) == 0
    assert "epoch" not in capsys.readouterr().err  # no run is done twice


def conforming(*given):
    return SimpleNamespace(conforms=True, verdict="conforms", ran=0, versions={})


def test_a_step_that_does_not_conform_may_not_train(module, monkeypatch, tmp_path, capsys):
    cifar, torch_sam = module("cifar"), module("torch_sam")
    right = torch_sam.SAM.climb
    monkeypatch.setattr(torch_sam.SAM, "climb", lambda self, d1: [-e for e in right(self, d1)])
    assert cifar.main(["table4", *SMOKE, "--out", str(tmp_path / "out")]) == 1
    assert "M07-downhill" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_left_out_and_said(module, monkeypatch, tmp_path, capsys):
    cifar = module("cifar")
    monkeypatch.setattr(cifar, "judge", conforming)
    assert cifar.main(["table4", *SMOKE, "--minutes", "0", "--out", str(tmp_path)]) == 0
    assert "no time is left" in capsys.readouterr().out
    assert not json.loads((tmp_path / "table4.json").read_text())["results"]["runs"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--minutes", "nan"),
        ("--minutes", "-1"),
        ("--seeds", "0"),
        ("--problem", "10,000 images"),
    ],
)
def test_a_wrong_value_is_one_line_and_nothing_is_written(module, option, value, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        module("cifar").main(["table4", *SMOKE, option, value, "--out", str(tmp_path / "out")])
    assert end.value.code == 2
    assert f"{option} must be" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


DONE = {
    "settings": {},
    **dict.fromkeys(("seconds", "last", "best", "train", "validation"), 1.0),
}


@pytest.mark.parametrize(
    "content",
    ["{", "{}", "[1]", '[{"settings": {"method": "adam", "sharp": 1}}]', b"\xff"]
    + [
        json.dumps([{**DONE, **change}])
        for change in (
            {"seconds": None},
            {"last": "1"},
            {"validation": float("nan")},
            {"settings": {"epochs": 0}},
            {"settings": {"epochs": "3"}},
            {"device": 1},
            {"device": None},
            {"versions": "2.11"},
        )
    ]
    + [json.dumps([{key: value for key, value in DONE.items() if key != "best"}])],
)
def test_what_holds_no_runs_is_refused_by_name_and_left_as_it_is(module, content, tmp_path, capsys):
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "runs.json").write_bytes(content)
    with pytest.raises(SystemExit):
        module("cifar").main(["table4", *SMOKE, "--out", str(tmp_path)])
    assert "runs.json must hold the runs of this trial" in capsys.readouterr().err
    assert (tmp_path / "runs.json").read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["", "afile", "afile/x"])
def test_what_can_be_no_folder_is_refused(module, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "afile").touch()
    with pytest.raises(SystemExit):
        module("cifar").main([*SMOKE, "--out", name])
    assert "--out" in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["afile"]


def test_a_device_that_is_none_is_one_line_and_nothing_is_written(module, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        module("cifar").main(["--smoke", "--device", "nonsense", "--out", str(tmp_path / "out")])
    assert end.value.code == 2
    assert "device must be one that PyTorch has" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("said-of-the-data", "at_scale/cifar.py")
def test_an_old_file_is_read_and_the_page_says_what_was_done_elsewhere(
    module, monkeypatch, tmp_path, capsys
):
    cifar, kept = module("cifar"), module("kept")
    monkeypatch.setattr(cifar, "judge", conforming)
    words = ["table4", *SMOKE, "--out", str(tmp_path)]
    assert cifar.main(words) == 0
    runs = json.loads((tmp_path / "runs.json").read_text())
    for run in runs:  # as the first ones were kept
        del run["device"], run["versions"]
    (tmp_path / "runs.json").write_text(json.dumps(runs))
    capsys.readouterr()
    assert cifar.main(words) == 0
    assert f"Here ({kept.UNKNOWN}): " in capsys.readouterr().out
    sam = next(run for run in runs if run["settings"]["method"] == "sam"
               and run["settings"]["seed"] == 1)  # fmt: skip
    (tmp_path / "runs.json").write_text(json.dumps([run for run in runs if run != sam]))
    monkeypatch.setattr(kept, "processor", lambda: "another one")
    assert cifar.main(words) == 0
    page = (tmp_path / "table4.md").read_text()
    assert f"Here ({kept.UNKNOWN} and another one): " in page
    assert "- another one (1 of 8): SAM at 40% noise\n" in page
    assert json.loads((tmp_path / "runs.json").read_text())[-1]["device"] == "another one"


def test_machines_differ_by_device_and_by_what_differs_of_the_versions(module):
    kept = module("kept")
    old = {"method": "SGD", "problem": "p"}
    here = {**old, "device": "H200", "versions": {"python": "3.12", "torch": "2.11"}}
    there = {**here, "versions": {"python": "3.12", "torch": "2.12"}}
    assert kept.note([here, here]) == kept.note([old, old]) == kept.note([]) == []
    assert [*kept.machines([here, there, old])] == ["H200, torch 2.11", "H200, torch 2.12",
                                                    kept.UNKNOWN]  # fmt: skip
    assert [*kept.machines([here, {**here, "device": "cpu"}])] == ["H200", "cpu"]
    told = kept.note([here, {**old, "method": "SAM"}, old])
    assert told[2:-1] == ["- H200 (1 of 3): SGD at p",
                          f"- {kept.UNKNOWN} (2 of 3): SAM at p, SGD at p"]  # fmt: skip


def test_how_long_a_run_takes_is_learned_from_this_device_alone(module, monkeypatch, tmp_path):
    kept = module("kept")
    monkeypatch.setattr(kept, "machine", lambda device: {"device": "here"})
    path = tmp_path / "runs.json"

    def pace(*runs):
        path.write_text(json.dumps([{**DONE, **run} for run in runs]))
        return kept.Kept(path, "cpu", 0.0).pace() * kept.Settings().cost

    fast, old = {"device": "H200", "seconds": 1.0}, {"seconds": 5.0}
    assert pace(fast) == pace() == 0
    assert pace(fast, old) == pytest.approx(5)
    assert pace(old, {"device": "here", "seconds": 9.0}, fast) == pytest.approx(9)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor: 0\nmodel name\t: A CPU\nmodel name\t: A CPU\n", "A CPU"),
        ("model name\t:\n", "x86"),
    ],
)
def test_a_processor_has_the_name_that_the_system_gives_it(
    module, text, name, tmp_path, monkeypatch
):
    kept = module("kept")
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(kept, "PROCESSOR", tmp_path / "cpuinfo")
    monkeypatch.setattr(kept.platform, "processor", lambda: "")
    monkeypatch.setattr(kept.platform, "machine", lambda: "x86")
    assert kept.processor() == name


def test_the_slope_is_taken_of_the_widths_that_have_all_the_seeds(module):
    cifar = module("cifar")
    runs = [
        {"method": method, "problem": f"width {w}", "width": w, "noise": 0.4, "seed": seed}
        | {"last": 50.0 + seed + (method == "SAM") * k, "train": 95.0, "rho": 0.1}
        for k, w in enumerate((8, 16, 32))
        for method in ("SGD", "SAM")
        for seed in range(2 if w < 32 else 1)
    ]
    found = cifar.headline("width", runs)
    assert found.difference.value == pytest.approx(1.0)  # a point a doubling, from 8 to 16
    assert found.difference.count == 2
    assert cifar.headline("width", runs[:4]).word == "not run"
    assert cifar.headline("width", []).word == "not run"
