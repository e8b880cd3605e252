"""What goes wrong: a seeded script of kills, pauses and failing answers."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import psutil
from real_airflow import Parts

from airflow_cloudtasks.emulator import Emulator
from chaotic.clouds import clock
from chaotic.proxy import Proxy

EMULATOR_FAULTS = ("throttle", "http_500", "reset", "hang", "bad_json", "lost_answer")
PROXY_FAULTS = ("http_500", "lost", "cut", "hang")
HANG_SECONDS = 20
# Between the beginnings of two troubles. About two of the seven targets are in trouble at any time.
GAP_SECONDS = (4, 12)


@dataclass
class Machine:
    """A process of Airflow that is killed like a machine, and started again. Its methods may run in any thread.

    Args:
        name: Its name.
        command: Arguments of the `airflow` command.
        parts: What starts and kills processes.
    """

    name: str
    command: tuple[str, ...]
    parts: Parts
    process: psutil.Popen | None = None
    # One for all machines, which share ``parts``.
    lock: ClassVar[threading.Lock] = threading.Lock()

    def start(self) -> None:
        """Start it."""
        with self.lock:
            self.process = self.parts.start(*self.command)

    def kill(self) -> None:
        """Kill it and all its children."""
        with self.lock:
            if self.process is not None:
                self.parts.kill(self.process)
            self.process = None

    def pause(self) -> None:
        """Stop it and all its children, as a suspended virtual machine stops."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def revive(self) -> bool:
        """Start it again if it has ended by itself, as a service manager does; return whether it had."""
        with self.lock:
            if self.process is None or self.process.poll() is None:
                return False
            # What it has left behind goes with it.
            self.parts.kill(self.process)
            self.process = self.parts.start(*self.command)
            return True

    def _send(self, number: signal.Signals) -> None:
        with self.lock, suppress(psutil.NoSuchProcess):
            family = [] if self.process is None else [self.process, *self.process.children(recursive=True)]
            for one in family:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(number)


@dataclass
class Trouble:
    """One thing that goes wrong: what begins it, what ends it, and how long it may last in seconds."""

    target: str
    what: str
    begin: Callable[[], None]
    end: Callable[[], None]
    longest: float


class Storm(threading.Thread):
    """Begin one trouble after the other, each at random, and end each one; several last at the same time.

    Args:
        machines: Airflow's processes.
        proxy: What stands before the API server.
        emulator: The clouds.
        seed: The seed of the script.
        seconds: How long it lasts.
        say: Prints a line.
    """

    def __init__(
        self,
        machines: list[Machine],
        proxy: Proxy,
        emulator: Emulator,
        *,
        seed: int,
        seconds: float,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(daemon=True)
        self._dice = random.Random(seed)
        self._seconds = seconds
        self._say = say
        self._troubles = [
            *(trouble for machine in machines for trouble in _of_machine(machine)),
            *_of_proxy(proxy, self._dice),
            *_of_emulator(emulator, self._dice),
        ]
        self._stopping = threading.Event()
        self.began: dict[tuple[str, str], list[float]] = {}
        self.error: BaseException | None = None

    def run(self) -> None:
        """Carry out the script; at its end, end what still lasts."""
        ends = time.monotonic() + self._seconds
        lasting: dict[str, tuple[float, Trouble]] = {}
        try:
            while not self._stopping.wait(self._dice.uniform(*GAP_SECONDS)) and time.monotonic() < ends:
                self._end(lasting, time.monotonic())
                self._begin(lasting)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self._end(lasting, float("inf"))

    def stop(self) -> None:
        """End it early, and return once it has ended."""
        self._stopping.set()
        self.join()

    def _begin(self, lasting: dict[str, tuple[float, Trouble]]) -> None:
        target = self._dice.choice(sorted({trouble.target for trouble in self._troubles}))
        if target in lasting:
            return
        trouble = self._dice.choice([trouble for trouble in self._troubles if trouble.target == target])
        seconds = self._dice.uniform(2, trouble.longest)
        lasting[target] = (time.monotonic() + seconds, trouble)
        self.began.setdefault((target, trouble.what), []).append(time.time())
        self._say(f"{clock(time.time())}  {target}: {trouble.what} for {seconds:.0f} s")
        trouble.begin()

    def _end(self, lasting: dict[str, tuple[float, Trouble]], now: float) -> None:
        for target in [target for target, (until, _) in lasting.items() if until <= now]:
            lasting.pop(target)[1].end()


def _of_machine(machine: Machine) -> list[Trouble]:
    # A pause may last longer than the time after which Airflow takes a process for dead.
    return [
        Trouble(machine.name, "killed", machine.kill, machine.start, longest=20),
        Trouble(machine.name, "paused", machine.pause, machine.resume, longest=50),
    ]


def _of_proxy(proxy: Proxy, dice: random.Random) -> list[Trouble]:
    def begin(fault: str) -> Callable[[], None]:
        return lambda: proxy.fail(fault, dice.choice((0.2, 0.5, 1.0)))

    return [
        Trouble("answers of the API server", fault, begin(fault), lambda: proxy.fail(None), longest=25)
        for fault in PROXY_FAULTS
    ]


def _of_emulator(emulator: Emulator, dice: random.Random) -> list[Trouble]:
    def begin(fault: str) -> Callable[[], None]:
        seconds = HANG_SECONDS if fault == "hang" else None
        return lambda: emulator.fault(fault, rate=dice.choice((0.2, 0.5, 1.0)), seconds=seconds)

    return [
        # Its memory stays, as the clouds' does.
        Trouble("emulator", "killed", emulator.stop, lambda: _start(emulator), longest=20),
        *(Trouble("emulator", fault, begin(fault), emulator.clear_faults, longest=25) for fault in EMULATOR_FAULTS),
    ]


def _start(emulator: Emulator) -> None:
    emulator.start()
