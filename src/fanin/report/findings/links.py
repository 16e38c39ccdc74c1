"""Which finding speaks of which layer: links in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fanin.report.page import Html, inline
from fanin.rules.rule import Severity

if TYPE_CHECKING:
    from fanin.rules.profile import Row
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding


@dataclass(frozen=True, kw_only=True)
class Links:
    """The links of one report. is_page: anchors are there; in a notebook none are."""

    report: Report
    is_page: bool = True

    @property
    def rows(self) -> tuple[Row, ...]:
        """Give the measured sites; none where the model was not run."""
        profile = self.report.profile
        return () if profile is None else profile.rows

    @cached_property
    def _layers(self) -> tuple[tuple[int, ...], ...]:
        """Give, for each finding, the sites that it speaks of."""
        by_name: dict[str, list[int]] = {}
        for place, row in enumerate(self.rows):
            for name in {row.name, row.weight} - {""}:
                by_name.setdefault(name, []).append(place)
        return tuple(
            tuple(sorted({i for name in _names(f) for i in by_name.get(name, ())}))
            for f in self.report.findings
        )

    @cached_property
    def _findings(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, places in enumerate(self._layers):
            for place in places:
                found.setdefault(place, []).append(number)
        return found

    def layers_of(self, number: int) -> tuple[int, ...]:
        """Give the sites that the finding of that number (from 0) speaks of."""
        return self._layers[number]

    def findings_at(self, place: int) -> tuple[tuple[int, Finding], ...]:
        """Give the findings that speak of a site, with their numbers."""
        numbers = self._findings.get(place, ())
        return tuple((n, self.report.findings[n]) for n in numbers)

    def faults_at(self, place: int) -> tuple[Finding, ...]:
        """Give the errors and warnings that speak of a site."""
        found = (f for _, f in self.findings_at(place))
        return tuple(f for f in found if f.severity is not Severity.INFO)

    def to_layer(self, place: int) -> Html:
        """Give a site's name, as a link to its row."""
        name = inline(self.rows[place].name)
        if not self.is_page:
            return Html(f"<code>{name}</code>")
        return Html(f'<a href="#site-{place}"><code>{name}</code></a>')

    def to_findings(self, place: int) -> Html:
        """Give the codes of the findings at a site, as links to them."""
        return Html(
            ", ".join(
                f'<a href="#finding-{number + 1}">{inline(finding.code)}</a>'
                if self.is_page
                else inline(finding.code)
                for number, finding in self.findings_at(place)
            )
        )


def _names(finding: Finding) -> set[str]:
    """Give what a site could be called that the finding speaks of."""
    owners = {
        path.rpartition(".")[0] or path.rpartition("/")[0] for path in finding.paths
    }
    return ({finding.where} | set(finding.paths) | owners) - {""}
