"""Who the lab lets in, and what it refuses: asked as a browser or a program would."""

from __future__ import annotations

import asyncio
import json

import pytest

from fanin.lab.engine.recipe import Recipe
from fanin.lab.seam import Answer, Events, House, Route, View
from fanin.lab.server.app import guarded
from fanin.lab.server.guard import MOST_BYTES
from fanin.lab.views import find_views

PORT, TOKEN = 8123, "a-token"
HOST, ORIGIN = f"127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT}"


def echo(asked):
    return Answer.of_json({"body": asked.body, "query": dict(asked.query)})


def fail(_):
    return Recipe.of({"no_such": 1})


def counting(_):
    return Events(values=iter([{"n": 1}, {"n": 2}]))


def routes(_):
    return (
        Route(path="/only", handler=lambda _: Answer(content="<p>in</p>")),
        Route(path="/echo", handler=echo, method="POST"),
        Route(path="/fail", handler=fail, method="POST"),
        Route(path="/events", handler=counting),
    )


VIEW = View(name="only", title="Only", order=1, routes=routes)


@pytest.fixture
def app():
    return guarded(House(views=(VIEW,)), port=PORT, token=TOKEN)


def ask(app, path, *, method="GET", headers=(), body=b"", host=HOST):
    """Ask the application; give status, headers and text."""
    target, _, query = path.partition("?")
    pairs = [("host", host), *headers]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in pairs],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", PORT),
    }
    sent, pieces = [], [body[:10], body[10:]]

    async def receive():
        if pieces:
            piece = pieces.pop(0)
            kind = "http.request"
            return {"type": kind, "body": piece, "more_body": bool(pieces)}
        return await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start = sent[0]
    found = {k.decode(): v.decode() for k, v in start["headers"]}
    text = b"".join(each.get("body", b"") for each in sent[1:]).decode()
    return start["status"], found, text


@pytest.fixture
def cookie(app):
    _, headers, _ = ask(app, f"/?token={TOKEN}")
    return ("cookie", headers["set-cookie"].partition(";")[0])


def test_without_cookie_and_token_nothing_is_shown(app):
    for path in ("/", "/only", "/static/page.css", "/?token=", "/?token=b-token"):
        status, _, text = ask(app, path)
        assert status == 401
        assert "token" in text


def test_the_token_counts_at_the_front_door_alone(app):
    assert ask(app, f"/only?token={TOKEN}")[0] == 401


def test_the_token_gives_a_cookie_that_no_script_and_no_other_site_can_use(app):
    status, headers, text = ask(app, f"/?token={TOKEN}")
    _, *marks = headers["set-cookie"].split("; ")

    assert status == 200
    assert set(marks) == {"Path=/", "HttpOnly", "SameSite=Strict"}
    assert TOKEN not in headers["set-cookie"]
    assert TOKEN not in text


def test_with_the_cookie_the_page_opens(app, cookie):
    status, headers, text = ask(app, "/only", headers=[cookie])

    assert (status, text) == (200, "<p>in</p>")
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_the_cookie_of_another_start_opens_nothing(app):
    other = guarded(House(views=(VIEW,)), port=PORT, token=TOKEN)
    _, headers, _ = ask(other, f"/?token={TOKEN}")
    stale = ("cookie", headers["set-cookie"].partition(";")[0])

    assert ask(app, "/only", headers=[stale])[0] == 401


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", ""]
)
def test_another_name_of_the_host_is_turned_away(app, cookie, host):
    assert ask(app, "/only", headers=[cookie], host=host)[0] == 421
    assert ask(app, f"/?token={TOKEN}", host=host)[0] == 421


def test_a_host_said_twice_is_turned_away(app, cookie):
    twice = [cookie, ("host", "evil.example")]

    assert ask(app, "/only", headers=twice)[0] == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", f"https://{HOST}"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_turned_away(app, cookie, origin, method):
    headers = [cookie, ("origin", origin)]
    path = "/only" if method == "GET" else "/echo"

    assert ask(app, path, method=method, headers=headers, body=b"{}")[0] == 403


def test_a_post_that_does_not_say_its_origin_is_turned_away(app, cookie):
    assert ask(app, "/echo", method="POST", headers=[cookie], body=b"{}")[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_embeds_is_turned_away(app, cookie, site):
    headers = [cookie, ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")]

    assert ask(app, "/only", headers=headers)[0] == 403


def test_a_link_on_another_site_may_lead_here(app, cookie):
    headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]

    assert ask(app, "/only", headers=[cookie, *headers])[0] == 200


def post(app, cookie, path, body, more=()):
    headers = [cookie, ("origin", ORIGIN), *more]
    return ask(app, path, method="POST", headers=headers, body=body)


def test_a_post_from_this_page_is_answered(app, cookie):
    status, _, text = post(app, cookie, "/echo?x=1", b'{"depth": 30}')

    assert status == 200
    assert json.loads(text) == {"body": {"depth": 30}, "query": {"x": "1"}}


def test_a_body_that_says_it_is_too_large_is_not_read(app, cookie):
    length = [("content-length", str(MOST_BYTES + 1))]

    assert post(app, cookie, "/echo", b"{}", length)[0] == 413
    assert post(app, cookie, "/echo", b"{}", [("content-length", "-1")])[0] == 413


def test_a_body_that_grows_too_large_is_cut_off(app, cookie):
    from starlette.requests import ClientDisconnect

    body = b'"' + b"x" * MOST_BYTES + b'"'

    with pytest.raises(ClientDisconnect):
        post(app, cookie, "/echo", body)


def test_an_address_that_is_too_long_is_turned_away(app, cookie):
    assert ask(app, "/only?x=" + "y" * 5000, headers=[cookie])[0] == 414


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"nonsense"])
def test_a_body_that_is_no_json_is_said_so(app, cookie, body):
    status, _, text = post(app, cookie, "/echo", body)

    assert status == 400
    assert json.loads(text) == {"error": "The body is no JSON."}


def test_what_cannot_be_is_answered_in_words(app, cookie):
    status, _, text = post(app, cookie, "/fail", b"{}")

    assert status == 422
    assert json.loads(text)["error"].startswith("There is no setting 'no_such'.")


def test_events_arrive_one_by_one_and_end(app, cookie):
    status, headers, text = ask(app, "/events", headers=[cookie])

    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert text == 'data: {"n":1}\n\ndata: {"n":2}\n\nevent: end\ndata: {}\n\n'


@pytest.mark.parametrize(
    "path",
    [
        "/static/../guest.py",
        "/static/lab/..%2f..%2fguest.py",
        "/static/lab/__init__.py",
        "/static/none.js",
        "/nowhere",
    ],
)
def test_only_listed_files_are_served(cookie, app, path):
    assert ask(app, path, headers=[cookie])[0] == 404


def test_every_view_of_the_house_has_its_assets_served():
    app = guarded(House(views=find_views()), port=PORT, token=TOKEN)
    _, headers, _ = ask(app, f"/?token={TOKEN}")
    cookie = ("cookie", headers["set-cookie"].partition(";")[0])

    for path in ("/static/page.css", "/static/lab.css", "/static/lab/lab.js"):
        status, headers, text = ask(app, path, headers=[cookie])
        assert status == 200
        assert text
        assert headers["content-type"].startswith(("text/css", "text/javascript"))


def test_a_websocket_is_not_answered(app):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(app({"type": "websocket", "headers": []}, None, send))

    assert sent == []


@pytest.mark.parametrize(
    "odd", ['prefs={"theme":"dark"}', "a[b]=1", "flag", "user@x=1", "="]
)
def test_what_other_pages_of_this_machine_set_locks_nobody_out(app, cookie, odd):
    name, value = cookie
    assert ask(app, "/only", headers=[(name, f"{odd}; {value}")])[0] == 200
    assert ask(app, "/only", headers=[(name, f"{value}; {odd}")])[0] == 200
    assert ask(app, "/only", headers=[(name, odd)])[0] == 401
