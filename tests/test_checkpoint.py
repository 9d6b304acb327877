import io
import json
import random
import zipfile

import numpy as np
import pytest
from disks import full_disk

from minisam.checkpoint import Checkpoint, load_checkpoint, restore_state, resumed, save_checkpoint
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


def archive(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def text(content):
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


def first_format(saved):
    """The arrays of a checkpoint as the first format had them, without a hash."""
    params = {name: {"array": f"params/{name}"} for name in saved.params}
    content = {
        "format": 1,
        "params": {"dict": params},
        "state": {"tuple": [{"value": value} for value in saved.state]},
        "statistics": {"dict": {}},
        "history": saved.history,
        "settings": saved.settings,
    }
    arrays = {f"params/{name}": leaf for name, leaf in saved.params.items()}
    return {**arrays, "json": text(content)}


def with_flag(content, flag):
    """Set a flag, such as that of encryption, in both headers of an archive's first member."""
    data, central = bytearray(content), content.index(b"PK\x01\x02")
    data[6] |= flag
    data[central + 8] |= flag
    return bytes(data)


def array_file(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


EMPTY = {"format": 1, "params": {"dict": {}}, "state": {"value": 0}, "statistics": {"dict": {}}}
NO_CHECKPOINTS = {
    "empty": b"",
    "a web page": b"<html>not found</html>",
    "an array": array_file(np.ones(3)),
    "another archive": archive(w=np.ones(2)),
    "an archive of texts": archive(json=np.array(["a", "b"])),
    "a pickle": archive(json=np.array([{}], dtype=object)),
    "JSON of a list": archive(json=text([])),
    "a later format": archive(json=text({"format": 99})),
    "without a hash": archive(json=text({**EMPTY, "format": 2, "history": [], "settings": {}})),
    "params a number": archive(json=text({**EMPTY, "params": {"value": 3}})),
    "settings a list": archive(json=text({**EMPTY, "history": [], "settings": []})),
    "history of numbers": archive(json=text({**EMPTY, "history": [1], "settings": {}})),
    "nested too deeply": archive(json=np.frombuffer(b"[" * 100_000, np.uint8)),
    "encrypted": with_flag(archive(json=text({})), 1),
    "a patch of another archive": with_flag(archive(json=text({})), 32),
}


@pytest.mark.fault("file-read", "load_checkpoint")
@pytest.mark.parametrize("kind", NO_CHECKPOINTS)
def test_what_is_no_checkpoint_is_refused_by_name(kind, tmp_path):
    path = tmp_path / "run.npz"
    path.write_bytes(NO_CHECKPOINTS[kind])
    with pytest.raises(ValueError, match=r"run\.npz is not a minisam checkpoint, or a damaged one"):
        load_checkpoint(path)


@pytest.mark.fault("file-read", "load_checkpoint")
def test_a_checkpoint_of_the_first_format_is_read(tmp_path):
    saved = checkpoint((4, None))._replace(statistics={})
    (tmp_path / "run.npz").write_bytes(archive(**first_format(saved)))
    loaded = load_checkpoint(tmp_path / "run.npz")
    np.testing.assert_array_equal(loaded.params["fc.weight"], saved.params["fc.weight"])
    assert loaded[1:] == saved[1:]


def damaged(content, rng):
    """Flip a bit, zero eight bytes, or cut the end off; half of it in the archive's directory."""
    data, directory = bytearray(content), content.index(b"PK\x01\x02")
    at, how = rng.randrange(rng.choice((0, directory)), len(content)), rng.random()
    if how < 0.6:
        data[at] ^= 1 << rng.randrange(8)
    elif how < 0.9:
        data[at : at + 8] = bytes(len(data[at : at + 8]))
    else:
        del data[at:]
    return bytes(data)


def outcome(path):
    try:
        return load_checkpoint(path)
    except ValueError as error:
        return error


@pytest.mark.fault("file-read", "load_checkpoint")
@pytest.mark.filterwarnings("ignore")  # of zipfile and NumPy, about the damage
@pytest.mark.parametrize("version", [1, 2])
def test_a_damaged_checkpoint_is_refused_or_as_it_was(version, tmp_path):
    path = save_checkpoint(tmp_path / "run.npz", checkpoint((4, None)))
    content = path.read_bytes()
    if version == 1:
        content = archive(**first_format(checkpoint((4, None))))
    path.write_bytes(content)
    whole, rng, refused = str(load_checkpoint(path)), random.Random(1), []
    for _ in range(200):
        path.write_bytes(damaged(content, rng))
        found = outcome(path)
        if isinstance(found, ValueError):
            refused.append(str(found))
        else:
            assert str(found) == whole
    assert all(str(path) in message for message in refused)
    assert len(refused) > 50  # a date, for one, may be damaged without harm


@pytest.mark.fault("file-read", "load_checkpoint")
def test_an_array_that_was_exchanged_for_another_whole_one_is_noticed(tmp_path):
    path = save_checkpoint(tmp_path / "run.npz", checkpoint((4, None)))
    with np.load(path) as file:
        arrays = dict(file)
    arrays["params/fc.bias"] = arrays["params/fc.bias"] + 1
    path.write_bytes(archive(**arrays))
    with pytest.raises(ValueError, match="its content is not what was written"):
        load_checkpoint(path)


@pytest.mark.fault("file-read", "load_checkpoint")
def test_an_array_whose_header_claims_less_than_there_is_is_noticed(tmp_path):
    arrays = {
        name: array_file(array) for name, array in first_format(checkpoint((4, None))).items()
    }
    arrays["params/fc.bias"] = arrays["params/fc.bias"].replace(b"(3,)", b"(1,)")
    path = tmp_path / "run.npz"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in arrays.items():
            file.writestr(f"{name}.npy", content)
    with pytest.raises(ValueError, match=r"params/fc\.bias\.npy has more bytes than it says"):
        load_checkpoint(path)


@pytest.mark.fault("file-read", "load_checkpoint")
def test_a_locked_file_is_a_matter_of_the_system(tmp_path):
    with pytest.raises(IsADirectoryError):
        load_checkpoint(tmp_path)


@pytest.mark.fault("file-written", "save_checkpoint")
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    path = save_checkpoint(tmp_path / "run.npz", checkpoint((1, None)))
    large = checkpoint((2, None))._replace(params={"w": np.ones(10_000)})
    with full_disk(), pytest.raises(OSError, match=r"run\.npz'$"):
        save_checkpoint(path, large)
    assert load_checkpoint(path).state == (1, None)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.fault("home-folder", "save_checkpoint", "load_checkpoint")
def test_a_checkpoint_lies_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert save_checkpoint("~/run.npz", checkpoint((1, None))) == tmp_path / "run.npz"
    assert load_checkpoint("~/run.npz").state == (1, None)


@pytest.mark.fault("round-trip", "save_checkpoint")
def test_arrays_whose_paths_are_alike_come_back_apart(tmp_path):
    params = {"a/b": np.zeros(1), "a/b'": np.ones(1)}
    state = ({"0": np.full(1, 2.0)}, {"0/0": np.full(1, 3.0)})
    saved = Checkpoint(params, ({"b": state, "b/0": np.full(1, 4.0)},), {}, [], {})
    loaded = load_checkpoint(save_checkpoint(tmp_path / "run.npz", saved))
    assert str(loaded) == str(saved)


@pytest.mark.fault("dtype", "save_checkpoint")
@pytest.mark.parametrize("dtype", [">f8", "<f4", "f2", "c16", "i1", "?", "u8"])
@pytest.mark.parametrize("shape", [(), (0,), (1, 0, 2), (2, 3)])
def test_every_number_comes_back_in_its_dtype_and_shape(dtype, shape, tmp_path):
    array = np.ones(shape, dtype, order="F")
    saved = Checkpoint({"w": array}, (0, None), {}, [], {})
    loaded = load_checkpoint(save_checkpoint(tmp_path / "run.npz", saved)).params["w"]
    assert (loaded.dtype, loaded.shape) == (array.dtype, shape)
    np.testing.assert_array_equal(loaded, array)


@pytest.mark.fault("dtype", "save_checkpoint")
@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"params": {"w": np.array([None])}},
            "params/w must be an array of NumPy's numb",
        ),
        ({"params": {"w": np.zeros(2, "V2")}}, "params/w must be an array of NumPy's numbers, got"),
        ({"state": (1, {2})}, "state/1 must be arrays, numbers, text or None, got set"),
        ({"settings": {"a": {2}}}, "history and settings must be what JSON can hold"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(part, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        save_checkpoint(tmp_path / "run.npz", checkpoint((1, None))._replace(**part))
    assert not list(tmp_path.iterdir())


def test_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.npz")


W = {"w": np.ones(1)}
STATES = {
    "sgd": sgd(0.1).init(W),
    "sam": sam(sgd(0.1)).init(W),
    "looksam": looksam(sgd(0.1)).init(W),
    "two": (sgd(0.1).init(W), sgd(0.1).init(W), 0, {"mean": np.zeros(1)}),
}


@pytest.mark.fault("resumed-as-another", "restore_state")
@pytest.mark.parametrize("fresh", STATES)
@pytest.mark.parametrize("stored", STATES)
def test_state_of_another_optimizer_is_refused(fresh, stored):
    if fresh == stored:
        assert str(restore_state(STATES[fresh], STATES[stored])) == str(STATES[fresh])
    else:
        with pytest.raises(ValueError, match="of another optimizer"):
            restore_state(STATES[fresh], STATES[stored])


@pytest.mark.fault("resumed-as-another", "restore_state")
def test_a_dict_is_given_back_only_to_a_dict_of_its_names():
    nest = {"a": sgd(0.1).init(W)}
    assert restore_state(nest, {"a": (7, None)}) == {"a": nest["a"]._replace(count=7)}
    for stored in (None, 3, {}, {"b": (7, None)}, {"a": (7, None), "b": None}):
        with pytest.raises(ValueError, match="of another optimizer"):
            restore_state(nest, stored)


@pytest.mark.fault("resumed-as-another", "resumed")
def test_a_run_that_is_past_its_end_is_refused(tmp_path):
    saved = Checkpoint({}, (0, None), {}, [{"epoch": 1}, {"epoch": 2}], {"epochs": 2})
    path = save_checkpoint(tmp_path / "run.npz", saved)
    fresh = sgd(0.1).init({})
    assert resumed(path, fresh, {"epochs": 2}) == saved._replace(state=fresh)
    assert resumed(path, fresh, {"epochs": 9}) == saved._replace(state=fresh)
    with pytest.raises(ValueError, match=r"run\.npz holds 2 epochs, and the run is to have 1: ask"):
        resumed(path, fresh, {"epochs": 1})
