"""Files, written wholly or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from fanin.errors import OutputError


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
    target = Path(path)
    if target.is_dir():
        raise OutputError.of(target, "it is a folder")
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".fanin-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode_of(target))
        Path(temporary).replace(target)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise OutputError.of(target, error.strerror or error) from error
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


def _mode_of(target: Path) -> int:
    """Keep an old file's permissions; a new one gets those that the umask leaves."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
