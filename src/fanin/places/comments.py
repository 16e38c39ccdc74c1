"""Comments that set findings aside: ``# fanin: ignore[FAN204] reason``."""

from __future__ import annotations

import re
import tokenize
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.places.source import SourceFile

FORM: Final = re.compile(
    r"#\s*fanin:\s*ignore(?:\[(?P<codes>[^\]]*)\])?[\s:]*(?P<reason>.*)"
)


@dataclass(frozen=True, kw_only=True)
class Comment:
    """One such comment.

    line: it stands on. is_alone: nothing else stands there, so it speaks of the next
    line. codes: of rules, empty for all of them. reason: in words, may be empty.
    """

    line: int
    is_alone: bool = False
    codes: tuple[str, ...] = ()
    reason: str = ""

    def speaks_of(self, first: int, last: int) -> bool:
        """Say whether it stands on the lines of an expression, or alone above them."""
        is_above = self.is_alone and self.line == first - 1
        return is_above or first <= self.line <= last

    def __str__(self) -> str:
        """Give it as it is written, without its reason."""
        codes = f"[{', '.join(self.codes)}]" if self.codes else ""
        return f"# fanin: ignore{codes}"


def comments(file: SourceFile) -> tuple[Comment, ...]:
    """Give all such comments of a file; a string that looks like one is none."""
    return tuple(_comments(file))


def _comments(file: SourceFile) -> Iterator[Comment]:
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(iter(file.lines).__next__):
            match = FORM.search(token.string)
            if token.type == tokenize.COMMENT and match is not None:
                codes = (match["codes"] or "").replace(",", " ").split()
                yield Comment(
                    line=token.start[0],
                    is_alone=not token.line[: token.start[1]].strip(),
                    codes=tuple(codes),
                    reason=match["reason"].strip(),
                )
