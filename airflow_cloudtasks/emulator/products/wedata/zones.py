"""The times of a WeData answer in the zone that its request's TimeZone names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.times import clock_time, parse_zone
from airflow_cloudtasks.emulator.products.wedata.lists import invalid

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.vendor.contract import Call, Stamp


def in_zone(call: Call, stamps: tuple[Stamp, ...]) -> tuple[Stamp, ...]:
    """Let times be written in the zone that a request names.

    ListTaskInstances' TimeZone is documented for the times that a request gives, GetDataBackfillPlan's for those that
    it shows; the former's example shows its answer in that zone too.

    Args:
        call: The call.
        stamps: The times, in UTC+8.

    Returns:
        Them in the zone; as they were where none is named.

    Raises:
        VendorError: There is no such zone.
    """
    name = call.parameters.get("TimeZone")
    if not name:
        return stamps
    zone = parse_zone(name)
    if zone is None:
        raise invalid("TimeZone")
    return tuple(replace(stamp, format=partial(clock_time, zone=zone)) for stamp in stamps)
