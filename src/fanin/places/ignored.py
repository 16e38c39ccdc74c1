"""Findings that a comment on the constructing line sets aside."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fanin.places.comments import Comment, comments
from fanin.places.source import Function, relative
from fanin.rules.setting_aside import means
from fanin.rules.suppressed import Suppressed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.places.find import Lines, Places
    from fanin.places.source import SourceFile
    from fanin.rules.rule import Finding


@dataclass(frozen=True)
class Ignored:
    """Reads the comments on the lines that built a model, and keeps which were used."""

    places: Places
    used: set[tuple[str, int]] = field(default_factory=set)
    read: dict[str, tuple[Comment, ...]] = field(default_factory=dict)

    def decide(self, finding: Finding) -> Suppressed | None:
        """Set a finding aside if every layer that it names has a comment for it."""
        names = finding.paths or (finding.where,)
        spoken = [self._comment(name, finding) for name in names]
        found = [each for each in spoken if each is not None]
        if len(found) < len(names):
            return None
        self.used.update((path, comment.line) for path, comment in found)
        reason = next((c.reason for _, c in found if c.reason), "")
        return Suppressed(finding=finding, by="comment", reason=reason)

    def unused(self, paths: Iterable[str], asked: Iterable[str]) -> tuple[str, ...]:
        """Give the comments in the code of this model that set nothing aside.

        Args:
            paths: of all its parameters.
            asked: codes of the rules that were asked; a comment on another is passed
                over, for it could not have been used.
        """
        if not self._has_comments():
            return ()
        lines = [found for path in paths if (found := self.places.lines_of(path))]
        codes = tuple(asked)
        return tuple(
            f"{relative(file.path)}:{comment.line}: {comment} sets nothing aside."
            for file in _files(lines)
            for comment in self._comments(file)
            if (file.path, comment.line) not in self.used
            and _is_near(comment, file, lines)
            and _was_asked(comment, codes)
        )

    def _comment(self, name: str, finding: Finding) -> tuple[str, Comment] | None:
        lines = self.places.lines_of(name)
        if lines is None:
            return None
        for comment in self._comments(lines.file):
            is_meant = not comment.codes or any(
                means(c, finding) for c in comment.codes
            )
            if is_meant and comment.speaks_of(lines.location.line, lines.last):
                return lines.file.path, comment
        return None

    def _comments(self, file: SourceFile) -> tuple[Comment, ...]:
        if file.path not in self.read:
            self.read[file.path] = comments(file)
        return self.read[file.path]

    def _has_comments(self) -> bool:
        """Say whether any file that describes the model has one; spares the search."""
        return any(self._comments(file) for file in self.places.files())


def _files(lines: Iterable[Lines]) -> list[SourceFile]:
    return list({each.file.path: each.file for each in lines}.values())


def _is_near(comment: Comment, file: SourceFile, lines: Iterable[Lines]) -> bool:
    """Say whether it stands in a class or function that built a part of the model."""
    mine = [each.location.line for each in lines if each.file.path == file.path]
    around = [
        node
        for node in file.tree.body
        if isinstance(node, ast.ClassDef | Function)
        and node.lineno <= comment.line <= (node.end_lineno or node.lineno)
    ]
    if not around:
        return any(comment.speaks_of(line, line) for line in mine)
    first, last = around[0].lineno, around[0].end_lineno or around[0].lineno
    return any(first <= line <= last for line in mine)


def _was_asked(comment: Comment, asked: tuple[str, ...]) -> bool:
    codes = [code.upper() for code in comment.codes]
    return not codes or any(a.startswith(code) for a in asked for code in codes)
