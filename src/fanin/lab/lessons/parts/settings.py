"""Sliders for what a case leaves free; a form that works without JavaScript too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.page import inline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.lab.lessons.lesson import Setting


def sliders(settings: Sequence[Setting], values: Mapping[str, float]) -> str:
    """Give a slider and a field for each setting; "" for none."""
    if not settings:
        return ""
    fields = "".join(_field(each, values[each.name]) for each in settings)
    return (
        '<form class="settings" method="get" data-settings aria-label="Settings">'
        f'{fields}<button type="submit" class="no-script">Show</button>'
        '<button type="button" class="quiet-button" data-usual>As usual</button>'
        '<p class="wrong" role="alert" data-wrong hidden></p></form>'
    )


def as_text(settings: Sequence[Setting], values: Mapping[str, float]) -> str:
    """Give the settings in a line, for a page whose numbers are fixed."""
    words = [f"{each.label} {values[each.name]:g}" for each in settings]
    return f'<p class="quiet">{inline(" · ".join(words))}</p>' if words else ""


def _field(setting: Setting, value: float) -> str:
    limits = f'min="{setting.low:g}" max="{setting.high:g}" step="{setting.step:g}"'
    name = setting.name
    return (
        f'<div class="field"><label for="set-{name}">{inline(setting.label)}</label>'
        f'<input type="range" {limits} value="{value:g}" data-slider="{name}" '
        f'aria-label="{inline(setting.label)}, slider">'
        f'<input type="number" {limits} value="{value:g}" id="set-{name}" '
        f'name="{name}" data-usual-value="{setting.usual:g}"></div>'
    )
