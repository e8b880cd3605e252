"""What goes wrong: a seeded script of kills, pauses and failing answers."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
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
# Seconds between the beginnings of two troubles.
GAP_SECONDS = (10, 26)
# Seconds in which a target has no further trouble: a busy machine needs a third of them to start a worker, and the
# Airflow tasks have to get on meanwhile.
REST_SECONDS = 120


@dataclass
class Machine:
    """A process of Airflow that is killed like a machine, and started again. Its methods may run in any thread.

    Args:
        name: Its name.
        command: Arguments of the `airflow` command.
        parts: What starts and kills processes.
        longest_pause: The longest time for which it is paused, in seconds.
    """

    name: str
    command: tuple[str, ...]
    parts: Parts
    longest_pause: float
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


@dataclass(frozen=True)
class Step:
    """A step of the script: at so many seconds, a trouble begins that lasts for some seconds, or ends (None)."""

    at: float
    trouble: Trouble
    seconds: float | None


class Storm(threading.Thread):
    """Begin one trouble after the other, as the seed decides, and end each one; several may last at the same time.

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
        """Carry out the script; at its end, or after an error, end what still lasts."""
        began = time.monotonic()
        lasting: dict[str, Trouble] = {}
        try:
            for step in _script(self._dice, self._seconds, self._troubles):
                if self._stopping.wait(max(began + step.at - time.monotonic(), 0)):
                    break
                if step.seconds is None:
                    lasting.pop(step.trouble.target).end()
                else:
                    lasting[step.trouble.target] = step.trouble
                    self._begin(step.trouble, step.seconds)
        except BaseException as error:
            self.error = error
            raise
        finally:
            for trouble in lasting.values():
                trouble.end()

    def stop(self) -> None:
        """End it early, and return once it has ended."""
        self._stopping.set()
        self.join()

    def _begin(self, trouble: Trouble, seconds: float) -> None:
        self.began.setdefault((trouble.target, trouble.what), []).append(time.time())
        self._say(f"{clock(time.time())}  {trouble.target}: {trouble.what} for {seconds:.0f} s")
        trouble.begin()


def _script(dice: random.Random, seconds: float, troubles: Sequence[Trouble]) -> list[Step]:
    """Return the beginnings and ends of troubles in the order of their times."""
    steps: list[Step] = []
    ready_at = dict.fromkeys(sorted({trouble.target for trouble in troubles}), 0.0)
    at = dice.uniform(*GAP_SECONDS)
    while at < seconds:
        if ready := [target for target, since in ready_at.items() if since <= at]:
            target = dice.choice(ready)
            trouble = dice.choice([trouble for trouble in troubles if trouble.target == target])
            lasts = dice.uniform(2, trouble.longest)
            steps += [Step(at, trouble, lasts), Step(at + lasts, trouble, None)]
            ready_at[target] = at + lasts + REST_SECONDS
        at += dice.uniform(*GAP_SECONDS)
    return sorted(steps, key=lambda step: step.at)


def _of_machine(machine: Machine) -> list[Trouble]:
    return [
        Trouble(machine.name, "killed", machine.kill, machine.start, longest=20),
        Trouble(machine.name, "paused", machine.pause, machine.resume, longest=machine.longest_pause),
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
