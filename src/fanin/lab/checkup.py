"""The check of the model that somebody brought, run once, beside the server."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from fanin.errors import FaninError

if TYPE_CHECKING:
    from fanin.lab.guest import Guest
    from fanin.rules import Report

LOG: Final = logging.getLogger("fanin.lab")
FAULT: Final = "The check broke off by a fault of fanin; the terminal has its lines."


@dataclass(kw_only=True)
class Checkup:
    """A check in a thread of its own. report or error is there once it is done."""

    guest: Guest
    report: Report | None = None
    error: str = ""
    _is_done: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)
    _thread: Thread | None = None

    def wait(self, seconds: float) -> bool:
        """Begin the check if nobody has, and say whether it ends within so long."""
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._run, daemon=True)
                self._thread.start()
        return self._is_done.wait(seconds)

    def _run(self) -> None:
        try:
            self.report = _checked(self.guest)
        except FaninError as error:
            self.error = str(error)
        except Exception:
            LOG.exception(FAULT)
            self.error = FAULT
        finally:
            self._is_done.set()


def _checked(guest: Guest) -> Report:
    from fanin.api import check

    report = check(
        guest.model, guest.batch, guest.loss, guest.target, factory=guest.factory
    )
    notes = (*guest.remarks, *report.notes)
    return replace(report, target=guest.name, notes=notes)
