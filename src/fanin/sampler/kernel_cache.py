"""Machine code kept on disk, so that a processor compiles each kernel once.

A file is named by a hash of what it was compiled from: the code, the processor, its
features, and LLVM's version. It begins with a hash of its content; a file that is cut
short is compiled anew. Machine code is only read from a folder of this user that no
other may write to. Whatever fails, the kernel is compiled in memory.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from fanin.errors import OutputError
from fanin.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

N_DIGEST: Final = 32
"""Bytes of SHA-256 that a file begins with."""

WRITABLE_BY_OTHERS: Final = 0o022


class Engine(Protocol):
    """What there is of llvmlite's MCJIT engine."""

    def set_object_cache(
        self,
        notify_func: Callable[[object, bytes], None],
        getbuffer_func: Callable[[object], bytes | None],
    ) -> None:
        """Have machine code asked for before, and given after it is compiled."""
        ...


class KernelCache:
    """A folder of kernels.

    Args:
        folder: made when the first kernel is kept; None for the user's cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def attach(self, engine: Engine, source: Iterable[str]) -> None:
        """Let an LLVM engine read the kernel's machine code from here, and keep it.

        Args:
            engine: it has not compiled yet.
            source: all that the machine code depends on, but the platform.
        """
        text = "\0".join((sys.platform, platform.machine(), *source))
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.o"
        engine.set_object_cache(
            notify_func=lambda _, code: self._keep(path, code),
            getbuffer_func=lambda _: self._read(path),
        )

    def _read(self, path: Path) -> bytes | None:
        """Give what was kept, if it is whole and this user's."""
        try:
            if not _is_private(self.folder):
                return None
            kept = path.read_bytes()
        except OSError:
            return None
        digest, code = kept[:N_DIGEST], kept[N_DIGEST:]
        return code if hashlib.sha256(code).digest() == digest else None

    def _keep(self, path: Path, code: bytes) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_bytes(path, hashlib.sha256(code).digest() + code)
        except (OSError, OutputError):
            return


def default_folder() -> Path:
    """Give the folder: ``FANIN_CACHE``, or "fanin" in the user's cache folder."""
    said = os.environ.get("FANIN_CACHE")
    if said:
        return Path(said).expanduser() / "kernels"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "fanin" / "kernels"


def _is_private(folder: Path) -> bool:
    """Say whether a folder is this user's and no other may write to it."""
    if not hasattr(os, "getuid"):  # Windows: the folder lies in the user's profile
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & WRITABLE_BY_OTHERS
