import argparse
import hashlib
import json
import shutil
import subprocess
from fractions import Fraction
from itertools import product
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from vector_generator.cases import build
from vector_generator.derivation import (
    FORMATS,
    Ledger,
    climb,
    euclidean,
    nearest,
    representable,
)
from vector_generator.generate import check_honest, expected, generate
from vector_generator.kills import is_listed, kills

from minisam.adapters.library import own
from minisam.adapters.plain import plain
from minisam.cli import vectors as vectors_command
from minisam.variants.mutants import MUTANTS
from minisam.vectors import DIRECTORY, load_vectors, manifest, replay

VECTORS = {vector["slug"]: vector for vector in load_vectors()}


@pytest.fixture(scope="module")
def killed():
    return {slug: kills(vector) for slug, vector in VECTORS.items()}


def test_generator_gives_the_stored_bytes(killed):
    for name, text in generate(killed).items():
        assert (DIRECTORY / name).read_bytes() == text.encode(), name


def test_every_mutant_is_rejected_by_some_vector(killed):
    rejected = {name for names in killed.values() for name in names}
    listed = {name: mutant for name, mutant in MUTANTS.items() if is_listed(name)}
    assert rejected == {name for name, mutant in listed.items() if not mutant.equivalent}


def test_every_sam_and_asam_vector_rejects_something(killed):
    unknown = {"granularity:layer", "granularity:filter"}
    for slug, vector in VECTORS.items():
        if vector["hyperparameters"]["method"] in ("sam", "asam"):
            assert killed[slug] or set(vector["requires"]) & unknown, slug


def test_manifest_lists_every_file_with_its_hash():
    listing = manifest()
    stored = {path.name for path in DIRECTORY.glob("*.json")} - {"manifest.json", "schema.json"}
    assert {entry["file"] for entry in listing["files"]} == stored
    for entry in [*listing["files"], {"file": "schema.json", "sha256": listing["schema_sha256"]}]:
        content = (DIRECTORY / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert listing["count"] == len(VECTORS) == len(listing["slugs"])


def test_files_obey_the_schema():
    schema = json.loads((DIRECTORY / "schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for entry in manifest()["files"]:
        validator.validate(json.loads((DIRECTORY / entry["file"]).read_text()))
    broken = json.loads((DIRECTORY / "sgd.json").read_text())
    broken["vectors"][0]["steps"][0].pop("end")
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(broken)


def test_every_number_reads_back_exactly():
    for entry in manifest()["files"]:
        text = (DIRECTORY / entry["file"]).read_text()
        exact = json.loads(text, parse_float=Fraction, parse_int=Fraction)
        rounded = json.loads(text)
        for a, b in zip(exact["vectors"], rounded["vectors"], strict=True):
            if not {"ScaleSafe", "Restore"} & set(b["flags"]) and "small" not in b["slug"]:
                assert a == b, b["slug"]  # Fraction == float compares exact values


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_minisam_agrees_to_the_last_bit(dtype):
    outcomes = [replay(own(), vector, dtype) for vector in VECTORS.values()]
    assert [one for one in outcomes if one.passed is False] == []
    not_run = {one.slug for one in outcomes if one.passed is None}
    inexact = {slug for slug, v in VECTORS.items() if dtype not in v["dtypes"]}
    assert not_run == inexact
    assert len(not_run) <= 2


def test_they_cover_what_differs_between_implementations():
    needs = {need for vector in VECTORS.values() for need in vector["requires"]}
    flags = {flag for vector in VECTORS.values() for flag in vector["flags"]}
    methods = [
        "sgd",
        "sam",
        "asam",
        "gsam",
        "looksam",
        "friendly_sam",
        "wsam",
        "m_sam",
        "exact_sam",
    ]
    assert needs >= {f"method:{method}" for method in [*methods, "exact_sam"]}
    assert needs >= {"momentum", "nesterov", "schedule", "frozen", "missing-gradient"}
    assert needs >= {"decay:coupled", "decay:decoupled", "decay:in_loss", "p:1", "p:inf"}
    assert needs >= {"scope:weights", "scope:all", "granularity:layer", "granularity:filter"}
    assert flags >= {"ZeroGradient", "NormEpsilon", "ScaleSafe", "Restore"}
    bfloat16 = [vector for vector in VECTORS.values() if "bfloat16" in vector["dtypes"]]
    assert len(bfloat16) >= len(VECTORS) - 5


# In any order: SAM as seven people might write it, rounding after every operation.


def rounded_sam(vector, dtype, order, nested):
    bits = FORMATS[dtype][0]

    def r(x):
        return nearest(Fraction(x), bits)

    def total(values):
        s = Fraction(0)
        for value in values:
            s = r(s + value)
        return s

    def square_root(x):
        if x == 0:
            return x
        shift = Fraction(4) ** 80
        return r(Fraction(int(np.floor(_isqrt(x * shift * shift))), 1) / shift)

    h = vector["hyperparameters"]
    rho, lr = Fraction(h["rho"]), Fraction(h["lr"])
    w = [[Fraction(x) for x in tensor] for tensor in vector["start"]]
    ends = []
    for step in vector["steps"]:
        d1, d2 = ([[Fraction(x) for x in t] for t in g] for g in step["gradients"])
        if nested:
            norms = [square_root(total(r(x * x) for x in tensor)) for tensor in d1]
            norm = square_root(total(r(x * x) for x in norms))
        else:
            norm = square_root(total(r(x * x) for tensor in d1 for x in tensor))
        if norm == 0:
            eps = [[Fraction(0) for _ in tensor] for tensor in d1]
        elif order == "coefficient":
            eps = [[r(r(rho / norm) * x) for x in tensor] for tensor in d1]
        elif order == "unit":
            eps = [[r(rho * r(x / norm)) for x in tensor] for tensor in d1]
        else:
            eps = [[r(r(rho * x) / norm) for x in tensor] for tensor in d1]
        b = [[r(x + e) for x, e in zip(*pair, strict=True)] for pair in zip(w, eps, strict=True)]
        w = [
            [r(x - r(lr * g)) for x, g in zip(*pair, strict=True)]
            for pair in zip(w, d2, strict=True)
        ]
        ends.append((b, w))
    return ends


def _isqrt(x):
    from math import isqrt

    return isqrt(x.numerator // x.denominator)


def bare_sam():
    for vector in VECTORS.values():
        needs, flags = set(vector["requires"]), set(vector["flags"])
        if needs == {"method:sam"} and not flags & {"OneOrder", "ScaleSafe"}:
            yield vector


@pytest.mark.parametrize("dtype", FORMATS)
def test_every_order_of_operations_gives_the_same_bits(dtype):
    ran = 0
    for vector in bare_sam():
        for order, nested in product(("coefficient", "unit", "divide last"), (False, True)):
            for step, (b, end) in zip(
                vector["steps"], rounded_sam(vector, dtype, order, nested), strict=True
            ):
                assert step["points"][1] == b, (vector["slug"], order)
                assert step["end"] == end, (vector["slug"], order)
            ran += 1
    assert ran >= 100


def test_one_order_vectors_need_their_flag():
    h = {"method": "sam", "names": ["w"], "rho": Fraction(13, 32), "p": 2}
    for gradient, orders in (([3, 4, 12], False), ([3, 2, 1, 1, 1], True)):
        ledger, g = Ledger(), [[Fraction(x) for x in gradient]]
        climb(ledger, g, g, [(len(gradient),)], h)
        assert bool(ledger.formats("unit")) is orders
        assert ledger.formats("coefficient")
    assert "OneOrder" in VECTORS["sam-pythagorean"]["flags"]


# Broken implementations are rejected, at the right place.


def sam_step(w, grad_fn, *, rho, lr, length=None, restore="copy", direction=None, **rest):
    d1 = grad_fn(w)
    norm = np.sqrt(sum(np.vdot(g, g) for g in d1))
    scale = rho / norm if norm else 0.0
    e = [scale * g for g in d1] if length is None else length(d1, rho)
    b = [x + y for x, y in zip(w, e, strict=True)]
    d2 = grad_fn(b)
    back = w if restore == "copy" else [x - y for x, y in zip(b, e, strict=True)]
    d = d2 if direction is None else direction(d1, d2)
    return [x - lr * g for x, g in zip(back, d, strict=True)]


def outcomes(**broken):
    adapter = plain(lambda *a, **h: sam_step(*a, **h, **broken))
    return {
        vector["slug"]: replay(adapter, vector)
        for vector in VECTORS.values()
        if set(vector["requires"]) <= {"method:sam", "schedule"}
        and vector["slug"] != "sam-tiny-float64"
    }


def test_a_naive_sam_fails_only_where_the_norm_overflows():
    with np.errstate(over="ignore"):
        failed = [slug for slug, one in outcomes().items() if not one.passed]
    assert failed == ["sam-huge-float64"]


@pytest.mark.parametrize(
    ("broken", "slug", "quantity"),
    [
        ({"restore": "subtract"}, "restore-absorbed", "end"),
        ({"direction": lambda d1, d2: d1}, "sam-norm-4", "end"),
        (
            {"direction": lambda d1, d2: [x + y for x, y in zip(d1, d2, strict=True)]},
            "sam-opposite-gradients",
            "end",
        ),
        (
            {"length": lambda g, rho: [rho * x / (np.linalg.norm(x) or 1) for x in g]},
            "sam-global-norm",
            "B",
        ),
        (
            {
                "length": lambda g, rho: [
                    rho * x / (np.sqrt(sum(np.vdot(y, y) for y in g)) + 1e-12) for x in g
                ]
            },
            "sam-small-2-20",
            "B",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_broken_sams_are_rejected(broken, slug, quantity):
    result = outcomes(**broken)[slug]
    assert (result.passed, result.quantity) == (False, quantity)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_an_added_1e_12_shows_only_where_flagged():
    def length(g, rho):
        norm = np.sqrt(sum(np.vdot(x, x) for x in g)) + 1e-12
        return [rho * x / norm for x in g]

    failed = [slug for slug, one in outcomes(length=length).items() if not one.passed]
    assert failed
    for slug in failed:
        assert set(VECTORS[slug]["flags"]) & {"NormEpsilon", "ScaleSafe"}, slug


def test_gradient_calls_are_counted():
    def three(w, grad_fn, **h):
        end = sam_step(w, grad_fn, **h)
        grad_fn(end)
        return end

    def none(w, grad_fn, *, rho, lr):
        return w

    for step, count in ((three, 3), (none, 0)):
        result = replay(plain(step), VECTORS["sam-norm-4"])
        assert result[2:] == (False, 0, "gradient calls", 2, count)


def test_a_second_question_at_the_same_point_may_be_spared():
    def once(w, grad_fn, *, lr, rho):
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    assert replay(plain(once), VECTORS["sam-rho-zero"]).passed
    assert not replay(plain(once), VECTORS["sam-zero-at-b"]).passed


# The generator refuses what is not exact or not honest.


def test_ledger_knows_what_a_format_holds():
    ledger = Ledger()
    ledger.enter([Fraction(257, 256)])
    assert ledger.formats() == ["float64", "float32"]
    ledger.total([Fraction(2**24), Fraction(1)])
    assert ledger.formats() == ["float64"]
    ledger.enter([Fraction(1, 3)], "unit")
    assert ledger.formats("coefficient") == ["float64"]
    assert ledger.formats("unit") == []
    assert representable(Fraction(2) ** -126, 8, -126, 127)
    assert not representable(Fraction(2) ** -127, 8, -126, 127)


def test_norm_of_norms_is_noticed():
    ledger = Ledger()
    ones = [[Fraction(1), Fraction(1)], [Fraction(1), Fraction(1)]]
    assert euclidean(ledger, ones, naive=True) == 2
    assert ledger.formats("norm of norms") == []


@pytest.mark.parametrize("bits", [8, 24, 53])
def test_nearest_rounds_as_the_hardware_does(bits):
    for x in (Fraction(1, 3), Fraction(-7, 10), Fraction(2**bits + 1), Fraction(5, 2**70)):
        if bits == 8:
            assert abs(nearest(x, 8) - x) <= abs(x) / 2**8
        else:
            kind = np.float64 if bits == 53 else np.float32
            assert nearest(x, bits) == Fraction(float(kind(float(x)))) or bits == 24


def test_two_gradients_at_one_point_are_refused():
    with pytest.raises(ValueError, match="two gradients at one point"):
        check_honest("x", [[[1]], [[1]]], {"gradients": [[[2]], [[3]]]})


def test_an_inexact_case_is_refused():
    case = dict(build()["sgd"][0])
    case["hyperparameters"] = {**case["hyperparameters"], "lr": Fraction(1, 10)}
    with pytest.raises(ValueError, match="no float64"):
        expected(case)


# The command, and a harness written from nothing but what it exports.


def run(*arguments):
    parser = argparse.ArgumentParser()
    vectors_command.configure(parser)
    return vectors_command.run(parser.parse_args(arguments))


def test_export(tmp_path, capsys):
    out = tmp_path / "deep" / "vectors"
    assert run("--out", str(out)) == 0
    assert "README.md" in capsys.readouterr().out
    listing = json.loads((out / "manifest.json").read_text())
    for entry in listing["files"]:
        assert hashlib.sha256((out / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    text = (out / "README.md").read_text()
    assert "{version}" not in text
    assert "{files}" not in text
    assert (out / "messages.schema.json").exists()
    assert {path.name for path in (out / "models").iterdir()} == {
        f"{name}.{kind}" for name in ("mlp", "cnn") for kind in ("npz", "json")
    }
    assert listing["version"] in text
    for flag in {flag for vector in VECTORS.values() for flag in vector["flags"]}:
        assert f"`{flag}`" in text
    for key in {key for vector in VECTORS.values() for key in vector["hyperparameters"]}:
        assert f"`{key}`" in text or f" {key} " in text, key
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


def test_export_does_not_overwrite_unasked(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ValueError, match="not empty"):
        run("--out", str(tmp_path))
    assert run("--out", str(tmp_path), "--force") == 0
    with pytest.raises(ValueError, match="is a file"):
        run("--out", str(tmp_path / "mine"))


PERL = shutil.which("perl")


@pytest.mark.skipif(PERL is None, reason="perl is not installed")
@pytest.mark.parametrize(("was", "broken"), [("", ""), ("1 - $lr", "1 + $lr")])
def test_the_export_is_enough_to_check_another_language(tmp_path, was, broken):
    source = (Path(__file__).parent / "harness" / "vectors.pl").read_text()
    assert len(source.splitlines()) <= 40
    harness = tmp_path / "vectors.pl"
    harness.write_text(source.replace(was, broken) if was else source)
    run("--out", str(tmp_path / "out"))
    result = subprocess.run(
        [PERL, str(harness), str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
    if broken:
        assert "sgd-decoupled-decay FAILS" in result.stdout
        assert result.returncode == 1
    else:
        assert "80 pass, 0 fail, 49 skipped" in result.stdout
        assert result.returncode == 0
