"""The frame of every page of the lab: navigation, landmarks, one stylesheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.page import inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.seam import View

STYLES = ("page.css", "lab.css")
OPEN = ' aria-current="page"'


def shell(  # noqa: PLR0913 - the parts of a page
    views: Sequence[View],
    view: View,
    *,
    title: str,
    body: str,
    lead: str = "",
    modules: Sequence[str] = (),
    styles: Sequence[str] = (),
) -> str:
    """Give a whole document; arguments as `fanin.lab.seam.House.page`."""
    sheets = [f"/static/{name}" for name in STYLES]
    sheets += [_address(view, name) for name in styles]
    links = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    scripts = "".join(
        f'<script type="module" src="{_address(view, name)}"></script>'
        for name in modules
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<link rel="icon" href="/static/icon.svg" type="image/svg+xml">'
        f"<title>{inline(title)} · fanin lab</title>{links}{scripts}</head>"
        f'<body class="fanin lab {view.name}">'
        '<a class="skip" href="#content">Skip to the content</a>'
        f'<div class="bar" role="banner"><p class="brand">fanin lab</p>'
        f"{navigation(views, view)}</div>"
        f'<main id="content" tabindex="-1"><h1>{inline(title)}</h1>{lead}{body}</main>'
        "</body></html>\n"
    )


def _address(view: View, name: str) -> str:
    """Give where a file is served: another view's where the name is an address."""
    return name if name.startswith("/static/") else f"/static/{view.name}/{name}"


def navigation(views: Sequence[View], view: View) -> str:
    """Give the list of views, the open one marked."""
    items = "".join(
        f'<li><a href="/{each.name}"{OPEN if each.name == view.name else ""}>'
        f"{inline(each.title)}</a></li>"
        for each in views
    )
    return f'<nav aria-label="Views"><ul>{items}</ul></nav>'
