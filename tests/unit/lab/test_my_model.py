"""The page of the reader's own model: waiting, done, and gone wrong."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch
from torch import nn

from fanin.lab import Guest, checkup
from fanin.lab.checkup import Checkup
from fanin.lab.seam import Asked, House
from fanin.lab.views import find_views, my_model


def room(guest=None):
    house = House(views=find_views(), guest=guest)
    done = None if guest is None else Checkup(guest=guest)
    return my_model.Room(house=house, checkup=done)


def twins():
    net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    for parameter in net.parameters():
        nn.init.constant_(parameter, 0.5)
    batch = torch.from_numpy(np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4))
    return Guest(
        name="<net>.py:make", model=net, batch=batch, remarks=("Built for a test.",)
    )


def test_without_a_model_the_page_says_how_to_bring_one():
    page = room().page(Asked()).content

    assert "fanin lab pkg.module:make" in page
    assert json.loads(room().done(Asked()).content) == {"is_done": True}


def test_the_page_shows_what_the_check_finds_and_changes_no_weight():
    guest = twins()
    before = [parameter.detach().clone() for parameter in guest.model.parameters()]
    mine = room(guest)
    assert json.loads(mine.done(Asked()).content) == {"is_done": True}
    page = mine.page(Asked()).content

    assert "<h1>&lt;net&gt;.py:make</h1>" in page
    assert "FAN104" in page or "FAN103" in page
    assert "Built for a test." in page
    assert '<section aria-labelledby="signal">' in page
    for old, new in zip(before, guest.model.parameters(), strict=True):
        assert torch.equal(old, new)


def test_a_check_that_takes_long_lets_the_page_wait(monkeypatch):
    monkeypatch.setattr(Checkup, "wait", lambda self, seconds: False)
    page = room(twins()).page(Asked()).content

    assert "The check is running" in page
    assert "/static/lab/waiting.js" in page


def test_a_model_that_cannot_be_checked_is_said_so():
    mine = room(Guest(name="nothing", model=object()))
    mine.done(Asked())
    page = mine.page(Asked()).content

    assert 'class="notice bad"' in page
    assert "object" in page


def test_a_fault_is_not_taken_for_a_clean_model(monkeypatch, caplog):
    def broken(_):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(checkup, "_checked", broken)
    mine = room(twins())
    with caplog.at_level(logging.CRITICAL):
        mine.done(Asked())

    assert checkup.FAULT in mine.page(Asked()).content


def test_the_check_runs_once(monkeypatch):
    calls = []
    monkeypatch.setattr(checkup, "_checked", calls.append)
    mine = room(twins())
    for _ in range(3):
        mine.done(Asked())

    assert len(calls) == 1


@pytest.mark.parametrize("view", ["lab", "model", "compare"])
def test_the_navigation_marks_the_open_page(view):
    views = {each.name: each for each in find_views()}
    page = House(views=tuple(views.values())).page(views[view], title="T", body="")

    assert f'<a href="/{view}" aria-current="page">' in page.content
    assert page.content.count("aria-current") == 1
