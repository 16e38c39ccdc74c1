"""The server binds to this machine alone, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.lab.server.serve import prepare
from fanin.lab.server.threads import one_thread_a_product


def test_it_listens_on_this_machine_alone_at_a_free_port():
    place = prepare()
    try:
        host, port = place.listener.getsockname()
    finally:
        place.listener.close()

    assert host == "127.0.0.1"
    assert place.url.startswith(f"http://127.0.0.1:{port}/?token=")
    assert len(place.url.partition("token=")[2]) >= 43  # 256 bits


def test_two_starts_have_two_tokens():
    places = [prepare(), prepare()]
    for place in places:
        place.listener.close()

    assert places[0].url.partition("token=")[2] != places[1].url.partition("token=")[2]


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ArgumentError, match="a free port of this machine"):
        prepare(port=port)


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ArgumentError, match="a free port of this machine"):
            prepare(port=other.getsockname()[1])


@pytest.mark.parametrize("package", ["uvicorn", "starlette.applications"])
def test_what_is_missing_is_named_with_the_line_that_installs_it(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'fanin\[web\]'"):
        prepare()


def open_stream(url):
    """Start a training as the page does, and give its first picture and its stream."""
    jar = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    jar.open(url, timeout=60).read()
    home = url.partition("/?")[0]
    body = json.dumps({"a": {"depth": 2, "width": 4}, "kind": "outputs"}).encode()
    asked = urllib.request.Request(f"{home}/lab/start", body, {"Origin": home})
    session = json.load(jar.open(asked, timeout=60))["session"]
    stream = jar.open(f"{home}/lab/play?session={session}&kind=outputs", timeout=60)
    return stream.readline(), stream


def test_ctrl_c_ends_the_command_with_code_0_while_a_training_plays():
    words = [sys.executable, "-m", "fanin", "lab", "--no-browser"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            url = process.stdout.readline().partition(": ")[2].strip()
            first, stream = open_stream(url)
            os.kill(process.pid, signal.SIGINT)
            with stream:
                rest = stream.read().decode()
            _, complaint = process.communicate(timeout=60)
        finally:
            process.kill()

    assert first.startswith(b'data: {"step":')
    assert rest.endswith("event: end\ndata: {}\n\n")
    assert process.returncode == 0
    assert complaint == "Ctrl-C ends it.\n"


def test_the_lab_loads_no_framework_and_no_server_with_the_package():
    code = (
        "import sys, fanin.lab, fanin.lab.seam, fanin.lab.views as v; v.find_views();"
        "heavy = ('torch', 'keras', 'jax', 'starlette', 'uvicorn');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_products_keep_to_one_thread_while_it_serves_and_not_after():
    import threadpoolctl

    def threads():
        found = threadpoolctl.threadpool_info()
        return [each["num_threads"] for each in found if each["user_api"] == "blas"]

    before = threads()
    with one_thread_a_product():
        assert set(threads()) == {1}

    assert threads() == before
