"""Find and read the file in which a project's settings stand."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanin.config.settings import Settings, settings_of
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = "fanin.toml"
SHARED = "pyproject.toml"


def nearest(folder: Path | None = None) -> Path | None:
    """Give the nearest file with settings, in this folder or above it.

    In one folder a fanin.toml goes before a pyproject.toml; a pyproject.toml without
    [tool.fanin] is passed over.

    Raises:
        ArgumentError: if such a file is not TOML.
    """
    start = (folder or Path.cwd()).resolve()
    for each in (start, *start.parents):
        if (each / OWN).is_file():
            return each / OWN
        shared = each / SHARED
        if shared.is_file() and _table(shared) is not None:
            return shared
    return None


def read(config: str | Path | Mapping[str, Any] | None) -> Settings:
    """Read settings from a file or a mapping; none from None.

    Raises:
        ArgumentError: if the file is not there or not TOML, or a value is not right.
        UnknownNameError: if a word is no setting; it names the nearest.

    >>> read({"select": ["FAN1"]}).select
    ('FAN1',)
    """
    if config is None:
        return Settings()
    if not isinstance(config, str | Path):
        return settings_of(config)
    path = Path(config)
    if not path.is_file():
        expected = "a file of settings that exists"
        raise ArgumentError.of(argument="config", received=str(path), expected=expected)
    data = _table(path)
    where = f"[tool.fanin] in {path.name}" if path.name == SHARED else path.name
    return settings_of(data or {}, where=where, folder=path.parent)


def _table(path: Path) -> dict[str, Any] | None:
    """Give the settings of a file, None if it has none."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        argument, expected = f"config {str(path)!r}", "written in TOML"
        raise ArgumentError.of(argument, str(error), expected) from error
    if path.name != SHARED:
        return data
    tool = data.get("tool", {})
    found = tool.get("fanin") if isinstance(tool, dict) else None
    return found if isinstance(found, dict) else None
