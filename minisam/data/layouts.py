"""Where the files of each data set are, and what their bytes must hash to.

The hashes of the official archives and of the files of the python versions are those that everybody
uses; pickles whose hash is not here are refused unless asked for.
"""

from __future__ import annotations

from typing import NamedTuple


class Layout(NamedTuple):
    """The files of one version of a data set.

    Args:
        folder: the folder that the archive unpacks to.
        train: the training files, in order.
        test: the test file.
        names: the file (or files, fine then coarse) of class names.
        archive: the archive's file name.
        hashes: file name to hash, as ``"sha256:…"`` or ``"md5:…"``, the archive's among them.
    """

    folder: str
    train: tuple[str, ...]
    test: str
    names: tuple[str, ...]
    archive: str
    hashes: dict[str, str]


LAYOUTS = {
    ("cifar10", "python"): Layout(
        "cifar-10-batches-py",
        ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"),
        "test_batch",
        ("batches.meta",),
        "cifar-10-python.tar.gz",
        {
            "cifar-10-python.tar.gz": "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            "data_batch_1": "sha256:54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
            "data_batch_2": "sha256:766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
            "data_batch_3": "sha256:0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
            "data_batch_4": "sha256:3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
            "data_batch_5": "sha256:d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
            "test_batch": "sha256:f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
            "batches.meta": "md5:5ff9c542aee3614f3951f8cda6e48888",
        },
    ),
    ("cifar100", "python"): Layout(
        "cifar-100-python",
        ("train",),
        "test",
        ("meta",),
        "cifar-100-python.tar.gz",
        {
            "cifar-100-python.tar.gz": "sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            "train": "md5:16019d7e3df5f24257cddd939b257f8d",
            "test": "md5:f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "md5:7973b15100ade9c7d40fb424638fde48",
        },
    ),
    ("cifar10", "binary"): Layout(
        "cifar-10-batches-bin",
        tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        "test_batch.bin",
        ("batches.meta.txt",),
        "cifar-10-binary.tar.gz",
        {
            "cifar-10-binary.tar.gz": "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        },
    ),
    ("cifar100", "binary"): Layout(
        "cifar-100-binary",
        ("train.bin",),
        "test.bin",
        ("fine_label_names.txt", "coarse_label_names.txt"),
        "cifar-100-binary.tar.gz",
        {
            "cifar-100-binary.tar.gz": "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
        },
    ),
}
