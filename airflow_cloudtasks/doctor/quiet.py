"""Keep Airflow's log out of a command's output."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

_STDOUT = 1


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what is logged, and what is written to standard output, in the block.

    Airflow 3 writes its log to standard output, where it would spoil a JSON object. Its logger may keep the stream that
    was standard output earlier, so that the file descriptor is redirected as well.
    """
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    sys.stdout.flush()
    kept = os.dup(_STDOUT)
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(io.StringIO()):
            os.dup2(nowhere.fileno(), _STDOUT)
            yield
    finally:
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()
        os.dup2(kept, _STDOUT)
        os.close(kept)
        logging.disable(disabled)
