"""Dates are ISO 8601 text in UTC unless they say otherwise."""

import pytest

from automation.engine.expressions import ExpressionError, render


@pytest.mark.parametrize(
    ("written", "standard"),
    [
        ("2026-03-29T18:08:01Z", "2026-03-29T18:08:01Z"),
        ("2026-03-29T18:08:01.250+02:00", "2026-03-29T16:08:01.250000Z"),
        ("2026-03-29 18:08", "2026-03-29T18:08:00Z"),
        ("2026-03-29", "2026-03-29T00:00:00Z"),
        ("Fri, 29 Mar 2024 18:08:01 GMT", "2024-03-29T18:08:01Z"),
        ("1 Jan 2024 00:00 -0130", "2024-01-01T01:30:00Z"),
        (0, "1970-01-01T00:00:00Z"),
        (1711732081.5, "2024-03-29T17:08:01.500000Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ],
)
def test_dates_are_read_in_all_their_usual_forms(written, standard):
    assert render("{{ d|todatetime }}", {"d": written}) == standard


@pytest.mark.parametrize("written", ["", "yesterday", "2026-02-30", "29 Foo 2024 10:00 GMT", "1" * 100, 1e30, 10**30])
def test_what_is_no_date_is_refused(written):
    with pytest.raises(ExpressionError, match=r"needs a date such as 2026-03-29T18:08:01Z"):
        render("{{ d|todatetime }}", {"d": written})


def test_a_day_begins_at_another_instant_in_another_zone():
    # 29 March 2026: Berlin goes from +1 to +2 at 01:00 UTC
    assert render("{{ '2026-03-29T12:00:00Z'|start_of('day', 'Europe/Berlin') }}", {}) == "2026-03-29T00:00:00+01:00"


@pytest.mark.parametrize(
    ("unit", "start"),
    [
        ("year", "2026-01-01T00:00:00Z"),
        ("month", "2026-05-01T00:00:00Z"),
        ("week", "2026-05-11T00:00:00Z"),
        ("day", "2026-05-14T00:00:00Z"),
        ("hour", "2026-05-14T13:00:00Z"),
        ("minute", "2026-05-14T13:14:00Z"),
    ],
)
def test_the_start_of_each_unit(unit, start):
    assert render("{{ '2026-05-14T13:14:15.5Z'|start_of(u) }}", {"u": unit}) == start


def test_every_directive_of_a_pattern():
    pattern = "%Y %y %m %B %b %d %j %A %a %u %G %V %H %I %p %M %S %f %z %Z %s %% %-d %-H"
    result = render("{{ '2026-01-02T03:04:05.000006Z'|format_date(p) }}", {"p": pattern})

    assert (
        result == "2026 26 01 January Jan 02 002 Friday Fri 5 2026 01 03 03 AM 04 05 000006 +0000 UTC 1767323045 % 2 3"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ '2026-01-01'|format_date('%Q') }}", "|format_date knows no such directive, got text '%Q'."),
        ("{{ '2026-01-01'|todatetime('Europe/Berln') }}", 'Did you mean "Europe/Berlin"?'),
        ("{{ '2026-01-01'|todatetime('../../etc/passwd') }}", "|todatetime knows no such time zone"),
        ("{{ '2026-01-01'|todatetime('localtime') }}", "|todatetime knows no such time zone"),
        ("{{ '0001-01-01'|add_time(days=-1) }}", "leads out of the years 1 to 9999"),
        ("{{ '9999-12-31'|add_time(years=1) }}", "leads out of the years 1 to 9999"),
        ("{{ '9999-12-31'|add_time(days=1e300) }}", "leads out of the years 1 to 9999"),
        ("{{ '0001-01-01'|todatetime('America/New_York') }}", "leads out of the years 1 to 9999"),
        ("{{ '0001-01-03'|start_of('fortnight') }}", "knows no such unit"),
        ("{{ '2026-01-01'|date_diff('2026-01-01', 'day') }}", 'Did you mean "days"?'),
        ("{{ '2026-01-01'|add_time(months=1.5) }}", "needs a whole number for months"),
    ],
)
def test_refusals_of_dates(source, reason):
    with pytest.raises(ExpressionError) as caught:
        render(source, {})

    assert reason in str(caught.value)
