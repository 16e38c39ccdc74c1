"""Results of ``fanin.depth_study`` and ``fanin.width_study``; they show themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.files import write_text
from fanin.report.studies.as_html import depth_page, width_page
from fanin.report.studies.as_json import depth_json, width_json
from fanin.report.studies.as_text import depth_text, width_text

if TYPE_CHECKING:
    from fanin.race.studies import DepthMap, Widths

KINDS = (".html", ".json", ".txt")


class _Result:
    """What every study's result can do."""

    def to_text(self) -> str:
        raise NotImplementedError

    def to_json(self) -> str:
        raise NotImplementedError

    def to_html(self) -> str:
        raise NotImplementedError

    def save(self, path: str | Path) -> Path:
        """Write it to a file; the ending decides how: .html, .json or .txt.

        Raises:
            ArgumentError: if the ending is another.
            OutputError: if the file cannot be written.
        """
        kind = Path(path).suffix.lower()
        if kind not in KINDS:
            expected = f"a path that ends in {', '.join(KINDS)}"
            raise ArgumentError.of(
                argument="path", received=str(path), expected=expected
            )
        writers = {".html": self.to_html, ".json": self.to_json, ".txt": self.to_text}
        return write_text(path, writers[kind]())

    def __str__(self) -> str:
        return self.to_text()


@dataclass(frozen=True, kw_only=True)
class DepthResult(_Result):
    """What a depth study showed. found: the records behind every number."""

    found: DepthMap

    def to_text(self) -> str:
        """Give findings and the map as a table."""
        return depth_text(self.found)

    def to_json(self) -> str:
        """Give everything as JSON (schema fanin.study.depth/1)."""
        return json.dumps(depth_json(self.found), ensure_ascii=False, indent=1)

    def to_html(self) -> str:
        """Give one self-contained page."""
        return depth_page(self.found)


@dataclass(frozen=True, kw_only=True)
class WidthResult(_Result):
    """What a width study showed. found: the records behind every number."""

    found: Widths

    def to_text(self) -> str:
        """Give findings, powers of the width and best learning rates."""
        return width_text(self.found)

    def to_json(self) -> str:
        """Give everything as JSON (schema fanin.study.width/1)."""
        return json.dumps(width_json(self.found), ensure_ascii=False, indent=1)

    def to_html(self) -> str:
        """Give one self-contained page."""
        return width_page(self.found)
