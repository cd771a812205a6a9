"""What fires on the days on which clocks change, in four zones: expressions, intervals, calendar rules, single times."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from automation.triggers.rhythms import next_slot_of

# Per zone and day: the wall clock in the night, with its offset.
BERLIN, NEW_YORK, LORD_HOWE, KOLKATA = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"
TABLE = [
    # cron that is written out: the first valid instant of a gap, once in a fold
    ({"cron": "30 2 * * *"}, BERLIN, "2026-03-29T00:00", ["29T03:00:00+02:00", "30T02:30:00+02:00"]),
    ({"cron": "30 2 * * *"}, BERLIN, "2026-10-25T00:00", ["25T02:30:00+02:00", "26T02:30:00+01:00"]),
    ({"cron": "30 2 * * *"}, NEW_YORK, "2026-03-08T00:00", ["08T03:00:00-04:00", "09T02:30:00-04:00"]),
    ({"cron": "30 1 * * *"}, NEW_YORK, "2026-11-01T00:00", ["01T01:30:00-04:00", "02T01:30:00-05:00"]),
    ({"cron": "15 2 * * *"}, LORD_HOWE, "2026-10-04T00:00", ["04T02:30:00+11:00", "05T02:15:00+11:00"]),
    ({"cron": "45 1 * * *"}, LORD_HOWE, "2026-04-05T00:00", ["05T01:45:00+11:00", "06T01:45:00+10:30"]),
    ({"cron": "30 2 * * *"}, KOLKATA, "2026-03-29T00:00", ["29T02:30:00+05:30", "30T02:30:00+05:30"]),
    # cron with a star: the real minutes
    ({"cron": "0 * * * *"}, BERLIN, "2026-03-29T00:30", ["29T01:00:00+01:00", "29T03:00:00+02:00"]),
    ({"cron": "0 * * * *"}, BERLIN, "2026-10-25T01:30", ["25T02:00:00+02:00", "25T02:00:00+01:00"]),
    ({"cron": "0 * * * *"}, NEW_YORK, "2026-11-01T00:30", ["01T01:00:00-04:00", "01T01:00:00-05:00"]),
    ({"cron": "*/30 * * * *"}, LORD_HOWE, "2026-10-04T01:15", ["04T01:30:00+10:30", "04T02:30:00+11:00"]),
    ({"cron": "*/30 * * * *"}, KOLKATA, "2026-03-29T01:15", ["29T01:30:00+05:30", "29T02:00:00+05:30"]),
    # intervals of hours: so much time passes, whatever clocks show
    ({"interval": "2h", "anchor": "2026-03-29T00:00"}, BERLIN, "2026-03-29T00:30", ["29T03:00:00+02:00", "29T05:00:00+02:00"]),
    ({"interval": "2h", "anchor": "2026-10-25T00:00"}, BERLIN, "2026-10-25T00:30", ["25T02:00:00+02:00", "25T03:00:00+01:00"]),
    ({"interval": "2h", "anchor": "2026-03-08T00:00"}, NEW_YORK, "2026-03-08T00:30", ["08T03:00:00-04:00", "08T05:00:00-04:00"]),
    ({"interval": "2h", "anchor": "2026-11-01T00:00"}, NEW_YORK, "2026-11-01T00:30", ["01T01:00:00-05:00", "01T03:00:00-05:00"]),
    ({"interval": "2h", "anchor": "2026-10-04T00:00"}, LORD_HOWE, "2026-10-04T00:00", ["04T02:30:00+11:00", "04T04:30:00+11:00"]),
    ({"interval": "2h", "anchor": "2026-03-29T00:00"}, KOLKATA, "2026-03-29T00:30", ["29T02:00:00+05:30", "29T04:00:00+05:30"]),
    # intervals of days: the same time on the wall clock
    ({"interval": "1d", "anchor": "2026-01-01T02:30"}, BERLIN, "2026-03-28T12:00", ["29T03:00:00+02:00", "30T02:30:00+02:00"]),
    ({"interval": "1d", "anchor": "2026-01-01T02:30"}, BERLIN, "2026-10-24T12:00", ["25T02:30:00+02:00", "26T02:30:00+01:00"]),
    ({"interval": "1d", "anchor": "2026-01-01T02:30"}, NEW_YORK, "2026-03-07T12:00", ["08T03:00:00-04:00", "09T02:30:00-04:00"]),
    ({"interval": "1d", "anchor": "2026-01-01T01:30"}, NEW_YORK, "2026-10-31T12:00", ["01T01:30:00-04:00", "02T01:30:00-05:00"]),
    ({"interval": "1d", "anchor": "2026-01-01T02:15"}, LORD_HOWE, "2026-10-03T12:00", ["04T02:30:00+11:00", "05T02:15:00+11:00"]),
    ({"interval": "1d", "anchor": "2026-01-01T01:45"}, LORD_HOWE, "2026-04-04T12:00", ["05T01:45:00+11:00", "06T01:45:00+10:30"]),
    ({"interval": "2d", "anchor": "2026-03-27T09:00"}, BERLIN, "2026-03-28T12:00", ["29T09:00:00+02:00", "31T09:00:00+02:00"]),
    ({"interval": "1d", "anchor": "2026-01-01T02:30"}, KOLKATA, "2026-03-28T12:00", ["29T02:30:00+05:30", "30T02:30:00+05:30"]),
    # calendar rules of days: as cron that is written out
    ({"rrule": "FREQ=DAILY", "anchor": "2026-01-01T02:30"}, BERLIN, "2026-03-28T12:00", ["29T03:00:00+02:00", "30T02:30:00+02:00"]),
    ({"rrule": "FREQ=DAILY", "anchor": "2026-01-01T02:30"}, BERLIN, "2026-10-24T12:00", ["25T02:30:00+02:00", "26T02:30:00+01:00"]),
    ({"rrule": "FREQ=WEEKLY;BYDAY=SU,MO", "anchor": "2026-01-01T02:30"}, NEW_YORK, "2026-03-07T12:00", ["08T03:00:00-04:00", "09T02:30:00-04:00"]),
    ({"rrule": "FREQ=MONTHLY;BYDAY=1SU", "anchor": "2026-01-01T01:30"}, NEW_YORK, "2026-10-31T12:00", ["01T01:30:00-04:00", "06T01:30:00-05:00"]),
    ({"rrule": "FREQ=DAILY", "anchor": "2026-01-01T02:15"}, LORD_HOWE, "2026-10-03T12:00", ["04T02:30:00+11:00", "05T02:15:00+11:00"]),
    ({"rrule": "FREQ=DAILY", "anchor": "2026-01-01T01:45"}, LORD_HOWE, "2026-04-04T12:00", ["05T01:45:00+11:00", "06T01:45:00+10:30"]),
    ({"rrule": "FREQ=DAILY", "anchor": "2026-01-01T02:30"}, KOLKATA, "2026-03-28T12:00", ["29T02:30:00+05:30", "30T02:30:00+05:30"]),
    # calendar rules of hours and minutes: as cron with a star
    ({"rrule": "FREQ=HOURLY", "anchor": "2026-01-01T00:00"}, BERLIN, "2026-03-29T00:30", ["29T01:00:00+01:00", "29T03:00:00+02:00"]),
    ({"rrule": "FREQ=HOURLY", "anchor": "2026-01-01T00:00"}, BERLIN, "2026-10-25T01:30", ["25T02:00:00+02:00", "25T02:00:00+01:00"]),
    ({"rrule": "FREQ=HOURLY", "anchor": "2026-01-01T00:00"}, NEW_YORK, "2026-11-01T00:30", ["01T01:00:00-04:00", "01T01:00:00-05:00"]),
    ({"rrule": "FREQ=MINUTELY;INTERVAL=30", "anchor": "2026-01-01T00:00"}, LORD_HOWE, "2026-10-04T01:15", ["04T01:30:00+10:30", "04T02:30:00+11:00"]),
    ({"rrule": "FREQ=MINUTELY;INTERVAL=30", "anchor": "2026-01-01T00:00"}, KOLKATA, "2026-03-29T01:15", ["29T01:30:00+05:30", "29T02:00:00+05:30"]),
    # a single time, and one beside a rhythm: the first valid instant of a gap, the first of two
    ({"at": "2026-03-29T02:30"}, BERLIN, "2026-03-28T12:00", ["29T03:00:00+02:00"]),
    ({"at": "2026-10-25T02:30"}, BERLIN, "2026-10-24T12:00", ["25T02:30:00+02:00"]),
    ({"at": "2026-03-08T02:30"}, NEW_YORK, "2026-03-07T12:00", ["08T03:00:00-04:00"]),
    ({"at": "2026-11-01T01:30"}, NEW_YORK, "2026-10-31T12:00", ["01T01:30:00-04:00"]),
    ({"at": "2026-10-04T02:15"}, LORD_HOWE, "2026-10-03T12:00", ["04T02:30:00+11:00"]),
    ({"at": "2026-04-05T01:45"}, LORD_HOWE, "2026-04-04T12:00", ["05T01:45:00+11:00"]),
    ({"at": "2026-03-29T02:30"}, KOLKATA, "2026-03-28T12:00", ["29T02:30:00+05:30"]),
    ({"cron": "0 12 * * *", "extra_dates": ["2026-03-29T02:30"]}, BERLIN, "2026-03-28T13:00", ["29T03:00:00+02:00", "29T12:00:00+02:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("config", "zone", "start", "expected"), TABLE)
def test_a_night_on_which_clocks_change(config, zone, start, expected):
    place = ZoneInfo(zone)
    at, found = datetime.fromisoformat(start).replace(tzinfo=place), []

    while len(found) < 2 and (at := next_slot_of(config, place, at)):
        found.append(at.astimezone(place).isoformat()[8:])

    assert found == expected
