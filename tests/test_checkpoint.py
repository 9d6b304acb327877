import numpy as np
import pytest

from minisam.checkpoint import Checkpoint, load_checkpoint, restore_state, save_checkpoint
from minisam.optim import looksam, sam, sgd


def checkpoint(state):
    params = {"fc.weight": np.ones((2, 3), np.float32), "fc.bias": np.zeros(3)}
    return Checkpoint(params, state, {"bn.mean": np.ones(2)}, [{"epoch": 1, "loss": 0.1}], {"a": 1})


@pytest.mark.parametrize(
    "make", [sgd, lambda lr: sam(sgd(lr, momentum=0.9)), lambda lr: looksam(sgd(lr))]
)
def test_state_comes_back_with_its_types_and_bits(make, tmp_path):
    opt = make(0.1)
    w = {"w": np.array([1.0, 2.0], np.float32)}
    state = opt.init(w)
    for _ in range(2):
        w, state, _ = opt.step(w, state, lambda p: (0.0, {"w": p["w"] * np.float32(0.3)}))
    path = save_checkpoint(tmp_path / "run.npz", checkpoint(state))
    loaded = restore_state(opt.init(w), load_checkpoint(path).state)
    assert type(loaded) is type(state)
    first = opt.step(w, state, lambda p: (0.0, p))[0]
    second = opt.step(w, loaded, lambda p: (0.0, p))[0]
    np.testing.assert_array_equal(first["w"], second["w"])


def test_everything_else_comes_back(tmp_path):
    saved = checkpoint((0, None))
    loaded = load_checkpoint(save_checkpoint(tmp_path / "run.npz", saved))
    assert loaded.params["fc.weight"].dtype == np.float32
    assert (loaded.history, loaded.settings) == (saved.history, saved.settings)
    np.testing.assert_array_equal(loaded.statistics["bn.mean"], [1, 1])


def broken(path, kind):
    save_checkpoint(path, checkpoint((0, None)))
    content = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("<html>not found</html>")
    elif kind == "other archive":
        with path.open("wb") as file:
            np.savez(file, w=np.ones(2))
    elif kind == "pickle":
        with path.open("wb") as file:
            np.savez(file, json=np.array([{}], dtype=object))
    elif kind == "other format":
        with path.open("wb") as file:
            np.savez(file, json=np.frombuffer(b'{"format": 99}', np.uint8))


@pytest.mark.parametrize(
    "kind", ["truncated", "empty", "text", "other archive", "pickle", "other format"]
)
def test_broken_files_are_refused_by_name(kind, tmp_path):
    path = tmp_path / "run.npz"
    broken(path, kind)
    with pytest.raises(ValueError, match=r"run\.npz is not a minisam checkpoint"):
        load_checkpoint(path)


def test_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.npz")


def test_state_of_another_optimizer_is_refused():
    w = {"w": np.ones(1)}
    with pytest.raises(ValueError, match="of another optimizer"):
        restore_state(looksam(sgd(0.1)).init(w), sgd(0.1).init(w))
