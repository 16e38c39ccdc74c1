"""A pytest plugin: models that cannot learn fail like any other test.

    pytest --fanin net.py:make --fanin-input 64x784      a test for every rule

    @pytest.mark.fanin(loss="cross_entropy", allow=["FAN501"])
    def test_my_model(check_init):                       a test of your own
        check_init(make(), batch, target=labels)

It is loaded with every run of pytest where fanin is installed. So it imports neither
fanin's rooms nor a framework before one of these two is used, and changes nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from fanin.pytest_plugin.checker import Checker

MARKER: Final = (
    "fanin(**arguments): arguments of fanin.testing.assert_init_ok that check_init "
    "uses in this test, such as loss, allow, fail_on, select"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --fanin and what belongs to it."""
    group = parser.getgroup("fanin", "initial weights (fanin)")
    group.addoption(
        "--fanin",
        action="append",
        default=[],
        metavar="TARGET",
        help="check this model, a test for every rule: pkg.module:make(width=256), "
        "file.py:attribute, or what else `fanin check` takes; may be given again",
    )
    for name, metavar, meaning in (
        ("input", "INPUT", "the batch: 64x784, tokens:8x128<50257, batch.npz, pkg:fn"),
        ("target", "INPUT", "what the loss compares the output with"),
        ("loss", "LOSS", "mse, cross_entropy, binary_cross_entropy or pkg:function"),
        ("select", "CODES", "FAN101,FAN2: only these rules"),
        ("ignore", "CODES", "not these rules"),
        ("allow", "WORDS", "FAN501,FAN105:head.*: findings that fail no test"),
    ):
        group.addoption(f"--fanin-{name}", metavar=metavar, help=meaning)
    group.addoption(
        "--fanin-fail-on",
        choices=("error", "warning", "info", "never"),
        default="warning",
        help="the least severity that fails a test; default: %(default)s",
    )
    group.addoption(
        "--fanin-update",
        action="store_true",
        help="write what is found as the new baseline: it fails no test from then on",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the tests of the models that --fanin names, before -k and -m select."""
    targets: list[str] = config.getoption("--fanin")
    if not targets:
        return
    from fanin.pytest_plugin.items import items_of

    for target in targets:
        items.extend(items_of(session, target))


@pytest.fixture
def check_init(request: pytest.FixtureRequest) -> Checker:
    """Give a function that fails the test if a model cannot learn.

    ``check_init(model, batch, loss, target, *, allow=(), fail_on="warning", …)`` takes
    what `fanin.testing.assert_init_ok` takes and gives the report back. What
    ``@pytest.mark.fanin(…)`` says holds where the call says nothing.
    """
    from fanin.pytest_plugin.checker import Checker

    return Checker.of(request)
