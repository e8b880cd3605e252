"""The times of a WeData answer in the zone that the request's TimeZone names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.times import clock_time, parse_zone
from airflow_cloudtasks.emulator.products.wedata.product import invalid

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.vendor.contract import Call, TaskShape


def in_zone(call: Call, shape: TaskShape) -> TaskShape:
    """Return a shape with its times in the zone that a request names; in UTC+8 if it names none.

    TimeZone is documented for the times in a request of ListTaskInstances, whose example has the answer in that zone
    too, and for those in an answer of GetDataBackfillPlan.

    Raises:
        VendorError: There is no such zone.
    """
    name = call.parameters.get("TimeZone")
    if not name:
        return shape
    zone = parse_zone(name)
    if zone is None:
        raise invalid("TimeZone")
    stamps = tuple(replace(stamp, format=partial(clock_time, zone=zone)) for stamp in shape.stamps)
    return replace(shape, stamps=stamps)
