"""Make a wheel of the minisam that runs, so that what is released needs no package index for it."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import minisam

WHEEL = "Wheel-Version: 1.0\nGenerator: minisam\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
OF_AN_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "WHEEL"}


def wheel() -> tuple[str, bytes]:
    """Return the name and the content of a wheel of this package, the same for the same package.

    Raises:
        ValueError: if minisam is not installed, for nobody knows then what it needs.
    """
    try:
        about = distribution("minisam")
    except PackageNotFoundError:
        raise ValueError("--install must say where minisam comes from: it is not installed here, "
                         "so no wheel can be made of it") from None  # fmt: skip
    name = f"minisam-{about.version}"
    files = {**package_files(), **description_files(about, f"{name}.dist-info")}
    files[f"{name}.dist-info/RECORD"] = record(files, f"{name}.dist-info/RECORD")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path)  # of 1980, so that the same package makes the same wheel
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return f"{name}-py3-none-any.whl", content.getvalue()


def package_files() -> dict[str, bytes]:
    """Return the files of the package, by their place in a wheel."""
    root = Path(minisam.__file__).parent
    return {
        path.relative_to(root.parent).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def description_files(about: Distribution, folder: str) -> dict[str, bytes]:
    """Return what says what the package is and needs, by its place in a wheel."""
    found = {
        f"{folder}/{'/'.join(file.parts[1:])}": Path(str(file.locate())).read_bytes()
        for file in sorted(about.files or [])
        if file.parts[0].endswith(".dist-info") and file.name not in OF_AN_INSTALLATION
    }
    return {**found, f"{folder}/WHEEL": WHEEL.encode()}


def record(files: dict[str, bytes], own: str) -> bytes:
    """Return the list of a wheel's files, each with its hash and its size."""
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{own},,", ""]).encode()
