"""A folder that appears whole: written beside its place, then renamed.

What an interrupted run has written stands in ``NAME.partial`` and is gone on with, if
it is of the same plan.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fanin.errors import OutputError
from fanin.files import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAN: Final = "fanin.plan.json"
SETTINGS: Final = "fanin.checkpoint.json"


def place_of(folder: str | Path) -> Path:
    """Give the folder itself, where a path leads to it by links or is relative."""
    return Path(folder).resolve()


def partial_of(folder: Path) -> Path:
    """Give the folder in which a checkpoint grows.

    >>> partial_of(Path("out/seed")).as_posix()
    'out/seed.partial'
    """
    return folder.with_name(f"{folder.name}.partial")


def require_free(folder: Path, *, is_overwritten: bool) -> None:
    """Refuse a place where something stands, or where nothing can be written.

    Args:
        folder: without symbolic links, as `place_of` gives it.
        is_overwritten: what stands there may give way.

    Raises:
        OutputError: it says what to do.
    """
    if not folder.parent.is_dir():
        raise OutputError.of(folder, f"there is no folder {str(folder.parent)!r}")
    if not os.access(folder.parent, os.W_OK):
        raise OutputError.of(folder, f"{str(folder.parent)!r} is not writable")
    if folder.exists() and not folder.is_dir():
        raise OutputError.of(folder, "it is a file; a checkpoint is a folder")
    if folder.is_mount():
        what = (
            "a disk is mounted there, so that it cannot be renamed; name a folder in it"
        )
        raise OutputError.of(folder, what)
    if folder.is_dir() and any(folder.iterdir()) and not is_overwritten:
        what = "it holds files. Name another folder, or say --overwrite"
        raise OutputError.of(folder, what)


def begin(folder: Path, texts: dict[str, str], *, is_overwritten: bool) -> Path:
    """Make the partial folder, or find the one to go on with.

    Args:
        folder: where the checkpoint will stand.
        texts: by file name, what says which checkpoint this is.
        is_overwritten: throw away a partial folder of another checkpoint.

    Raises:
        OutputError: if a partial folder of another checkpoint stands there.
    """
    place = partial_of(folder)
    if place.is_dir() and not _is_same(place, texts):
        if not is_overwritten:
            what = (
                "it is no half of this checkpoint: it holds other files, or one of "
                "another plan, other settings or other kept values. Remove it, or say "
                "--overwrite"
            )
            raise OutputError.of(place, what)
        shutil.rmtree(place)
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError.of(place, error.strerror or error) from error
    for name, text in texts.items():
        if not (place / name).is_file():
            write_text(place / name, text)
    return place


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from writing the same checkpoint at the same time.

    The lock is a file beside the folder; it goes with the process, however it ends.

    Raises:
        OutputError: if another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where an open file cannot be renamed over either
        yield
        return
    lock = folder.with_name(f"{folder.name}.lock")
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            what = "another process is writing it"
            raise OutputError.of(folder, what) from error
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file appear under its name only when all of it is on the disk.

    Raises:
        OutputError: if it cannot be written, as when the disk is full.
    """
    growing = path.with_name(f"{path.name}.growing")
    try:
        write(growing)
        with growing.open("rb+") as file:
            os.fsync(file.fileno())
        growing.replace(path)
    except OSError as error:
        raise OutputError.of(path, error.strerror or error) from error
    finally:
        with suppress(OSError):
            growing.unlink(missing_ok=True)


def finish(folder: Path) -> None:
    """Give the partial folder its name; what stood there gives way.

    Raises:
        OutputError: if it cannot be renamed; the partial folder is whole.
    """
    place = partial_of(folder)
    try:
        (place / SETTINGS).unlink(missing_ok=True)
        old = None
        if folder.is_dir() and any(folder.iterdir()):
            old = folder.with_name(f"{folder.name}.old-{secrets.token_hex(4)}")
            folder.rename(old)
        place.rename(folder)
        if old is not None:
            shutil.rmtree(old)
    except OSError as error:
        raise OutputError.of(folder, error.strerror or error) from error


def _is_same(place: Path, texts: dict[str, str]) -> bool:
    """Say whether a partial folder is empty, or of this very checkpoint."""
    known = [name for name in texts if (place / name).is_file()]
    if not known:
        return not any(place.iterdir())
    return all((place / name).read_text("utf-8") == texts[name] for name in known)
