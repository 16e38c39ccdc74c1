"""Files, written wholly or not at all."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fanin.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable


def write_text(path: str | Path, text: str) -> Path:
    """Write text as UTF-8: into a new file beside it, then renamed over it.

    Raises:
        OutputError: if the folder or file cannot be written; an old file is untouched.
    """
    return write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write bytes: into a new file beside it, then renamed over it.

    Raises:
        OutputError: if the folder or file cannot be written; an old file is untouched.
    """
    return write_with(path, lambda temporary: temporary.write_bytes(content))


def write_with(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` make a new file beside the path, then rename it over the path.

    Args:
        path: where the file goes.
        write: writes to the path that it is given, which has the same suffix.

    Raises:
        OutputError: if the folder or file cannot be written; an old file is untouched.
    """
    target = ensure_writable(path)
    # A name, not an open file: a writer may insist on creating its own.
    unique = f".fanin-{os.getpid()}-{secrets.token_hex(4)}"
    temporary = target.with_name(f"{unique}{''.join(target.suffixes[-2:])}")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        raise OutputError.of(target, error.strerror or error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


def ensure_writable(path: str | Path) -> Path:
    """Refuse a path that cannot be written, before long work is done for it.

    Raises:
        OutputError: if the folder does not exist or cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError.of(target, "it is a folder")
    if not target.parent.is_dir():
        raise OutputError.of(target, f"there is no folder {str(target.parent)!r}")
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".fanin-"):
            pass
    except OSError as error:
        raise OutputError.of(target, error.strerror or error) from error
    return target
