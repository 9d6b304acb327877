"""Downloads from a server on 127.0.0.1 that behaves badly: a clear error, and nothing left."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from data_server import ARCHIVE, serving, small_archive

from minisam.data import load
from minisam.data.cifar import download as download_module
from minisam.data.cifar import layouts
from minisam.data.cifar.download import FetchError, fetch
from minisam.data.cifar.find import BadFile

FOLDER = "cifar-10-batches-py"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_archive(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def server(small):
    with serving(small[0]) as (address, requests):
        yield address, requests


@pytest.fixture
def behave(server, small, monkeypatch, tmp_path):
    """Fetch from servers of the given behaviours into a new folder."""
    monkeypatch.setattr(layouts, "LAYOUTS", (small[1],))
    monkeypatch.setattr(download_module, "ROUND_PAUSE", 0.0)
    address, requests = server
    requests.clear()

    def run(*behaviours, folder=tmp_path / "new", **options):
        urls = tuple(f"{address}/{behaviour}/" for behaviour in behaviours)
        return fetch("cifar10", data_dir=folder, urls=urls, **{"rounds": 1, **options})

    return run


def left(folder):
    """What a user sees in a folder."""
    return sorted(p.name for p in Path(folder).iterdir() if not p.name.startswith("."))


def hidden(folder):
    """What else is there, but for the lock, which is empty and stays."""
    return sorted(p.name for p in Path(folder).glob(".*") if p.suffix != ".lock")


def test_a_good_server_gives_a_data_set(behave, server):
    folder = behave("good")
    assert left(folder) == [FOLDER, ARCHIVE]
    assert hidden(folder) == []
    assert len(load("cifar10", folder).train.labels) == 50
    assert server[1] == [f"/good/{ARCHIVE}"]


def test_progress_is_shown_with_the_time_left(behave, capfd):
    behave("slow", progress=True)
    shown = capfd.readouterr().err
    assert ARCHIVE in shown
    assert re.search(r"\d+%.*\d\d:\d\d<\d\d:\d\d, .*B/s", shown)


def test_progress_is_not_shown_off_a_terminal(behave, capfd):
    behave("good")
    assert "B/s" not in capfd.readouterr().err


def test_no_server_is_asked_when_the_files_are_there(behave, server):
    folder = behave("good")
    server[1].clear()
    assert behave("good") == folder
    assert load("cifar10", folder, download=True).name == "cifar10"
    assert server[1] == []


def test_no_server_is_asked_when_the_archive_is_there(behave, server, small, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(small[0])
    behave("good", folder=tmp_path)
    assert server[1] == []
    assert left(tmp_path) == [FOLDER, ARCHIVE]


def test_a_partial_archive_that_was_left_behind_is_replaced(behave, small, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(small[0][:1000])
    behave("good", folder=tmp_path)
    assert (tmp_path / ARCHIVE).read_bytes() == small[0]


def test_what_an_interrupted_download_left_is_removed(behave, tmp_path):
    part = tmp_path / f".{ARCHIVE}.part"
    part.write_bytes(b"half")
    behave("good", folder=tmp_path)
    assert hidden(tmp_path) == []


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("page", "hash"),
        ("other", "hash"),
        ("empty", "hash"),
        ("flip", "hash"),
        ("missing", "404"),
        ("broken", "500"),
        ("busy", "503"),
        ("loop", "redirects"),
        ("drop", "IncompleteRead|Connection broken|closed"),
        ("stall", "timed out"),
        ("stallMidway", "timed out"),
    ],
)
def test_bad_servers(behave, behaviour, said, tmp_path):
    with pytest.raises(FetchError, match=said) as raised:
        behave(behaviour, timeout=0.3)
    message = str(raised.value)
    assert f"put {ARCHIVE} there" in message
    assert "sha256" in message
    assert left(tmp_path / "new") == hidden(tmp_path / "new") == []
    behave("good")  # and then it works


def test_no_network(behave, tmp_path):
    with pytest.raises(FetchError, match="could not be fetched") as raised:
        fetch("cifar10", data_dir=tmp_path, urls=("http://127.0.0.1:9/",), rounds=1)
    assert "or name another folder" in str(raised.value)
    assert left(tmp_path) == hidden(tmp_path) == []


def test_the_next_server_is_asked(behave, server):
    behave("page", "missing", "good")
    assert [path.split("/")[1] for path in server[1]] == ["page", "missing", "good"]


def test_a_dropped_connection_is_tried_again(behave, server):
    behave("dropOnce", rounds=2)
    assert len(server[1]) == 2


def test_every_server_is_named_when_all_fail(behave):
    with pytest.raises(FetchError) as raised:
        behave("page", "missing")
    assert "/page/" in str(raised.value)
    assert "/missing/" in str(raised.value)


def test_an_endless_download_is_stopped(behave, monkeypatch):
    monkeypatch.setattr(download_module, "MOST_DOWNLOADED", 100_000)
    with pytest.raises(FetchError, match="more than 100,000 bytes"):
        behave("good")


def test_a_good_hash_of_a_bad_archive_is_refused(behave, server, small, monkeypatch, tmp_path):
    """The hash may be right and the archive lack a file all the same: nothing half is left."""
    layout = small[1]._replace(test="another_batch")
    monkeypatch.setattr(layouts, "LAYOUTS", (layout,))
    with pytest.raises(BadFile, match="lacks another_batch"):
        behave("good")
    assert left(tmp_path / "new") == [ARCHIVE]


def test_a_folder_that_may_not_be_written_to(behave, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        behave("good", folder=tmp_path / "file" / "below")


def test_without_the_extra_the_error_says_what_to_do(behave, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ImportError, match=r"minisam\[data\].*put cifar-10-python\.tar\.gz there"):
        behave("good")


def test_data_sets_for_registered_users_are_not_fetched(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"image-net\.org"):
        fetch("imagenet32", data_dir=tmp_path)


def program(address, hashes, folder, before=""):
    """A program that fetches the small archive, as another process does."""
    return textwrap.dedent(f"""
        from minisam.data.cifar import layouts
        from minisam.data.cifar.download import fetch
        layout = layouts.layouts("cifar10", "python")[0]._replace(hashes={hashes!r})
        layouts.LAYOUTS = (layout,)
        {before}
        fetch("cifar10", data_dir={str(folder)!r}, urls=({address!r},), rounds=1)
    """)


def test_a_full_disk_leaves_nothing(behave, server, small, tmp_path):
    """A limit on the size of files stands for the full disk."""
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
    )
    code = program(f"{server[0]}/good/", small[1].hashes, tmp_path / "new", limit)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert "OSError: [Errno 27]" in done.stderr
    assert left(tmp_path / "new") == hidden(tmp_path / "new") == []


def test_two_processes_fetch_once(behave, server, small, tmp_path):
    code = program(f"{server[0]}/slow/", small[1].hashes, tmp_path)
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert server[1] == [f"/slow/{ARCHIVE}"]
    assert left(tmp_path) == [FOLDER, ARCHIVE]


def test_a_killed_download_leaves_nothing_under_the_final_name(behave, server, small, tmp_path):
    code = program(f"{server[0]}/stallMidway/", small[1].hashes, tmp_path / "new")
    running = subprocess.Popen([sys.executable, "-c", code])
    part = tmp_path / "new" / f".{ARCHIVE}.part"
    while not (part.is_file() and part.stat().st_size):
        assert running.poll() is None
    running.kill()
    running.wait()
    assert left(tmp_path / "new") == []
    behave("good")
    assert hidden(tmp_path / "new") == []
