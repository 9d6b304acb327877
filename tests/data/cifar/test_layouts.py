"""The table of data sets is complete, and its hashes are well-formed."""

import pytest

from minisam.data.cifar.layouts import LAYOUTS, layouts

LENGTH = {"sha256": 64, "md5": 32}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.name}-{layout.version}")
def test_every_pickle_and_archive_has_a_hash(layout):
    files = (*layout.train, layout.test, *layout.names) if layout.version == "python" else ()
    archive = (layout.archive,) if layout.archive else ()
    assert set(layout.hashes) == {*files, *archive}
    for value in layout.hashes.values():
        algorithm, digest = value.split(":")
        assert len(digest) == LENGTH[algorithm]
        assert set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.name}-{layout.version}")
def test_archives_come_from_several_servers(layout):
    assert bool(layout.archive) == bool(layout.urls)
    if layout.urls:
        assert len(set(layout.urls)) >= 2
        assert layout.urls[0] == "https://www.cs.toronto.edu/~kriz/"
        assert all(url.startswith("https://") and url.endswith("/") for url in layout.urls)


def test_the_hashes_of_cifar_10_are_those_of_files_with_the_published_md5(real_data):
    import hashlib

    published = {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    }
    (layout,) = layouts("cifar10", "python")
    for name, md5 in published.items():
        content = (real_data / layout.folders[0] / name).read_bytes()
        assert hashlib.md5(content).hexdigest() == md5
        assert layout.hashes[name] == f"sha256:{hashlib.sha256(content).hexdigest()}"
