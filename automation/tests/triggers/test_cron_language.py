"""What a cron expression may say, and how a wrong one is refused."""

import pytest

from automation.triggers.cron import CronError, in_words, parse_cron


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("61 * * * *", 'Cron "61 * * * *" at position 0: minute must be 0–59, got 61.'),
        ("0 24 * * *", 'Cron "0 24 * * *" at position 2: hour must be 0–23, got 24.'),
        (
            "0 0 32 * *",
            'Cron "0 0 32 * *" at position 4: day of month must be 1–31, L (the last day) or LW (the last '
            "weekday), got 32.",
        ),
        ("0 0 * 13 *", 'Cron "0 0 * 13 *" at position 6: month must be 1–12 or JAN–DEC, got 13.'),
        ("0 0 * FOO *", 'Cron "0 0 * FOO *" at position 6: month must be 1–12 or JAN–DEC, got "FOO".'),
        (
            "0 0 * * 8",
            'Cron "0 0 * * 8" at position 8: day of week must be 0–7 or SUN–SAT, 5L (the last Friday) or 5#2 '
            "(the second), got 8.",
        ),
        ("0 0 * * 5#6", 'Cron "0 0 * * 5#6" at position 8: day of week must have 1–5 after #, got "6".'),
        ("*/0 * * * *", 'Cron "*/0 * * * *" at position 2: minute must have a step of 1 or more after /, got "0".'),
        ("5/ * * * *", 'Cron "5/ * * * *" at position 2: minute must have a step of 1 or more after /, got "".'),
        ("1,,2 * * * *", 'Cron "1,,2 * * * *" at position 2: minute must be 0–59, got "".'),
        ("0,15,75 * * * *", 'Cron "0,15,75 * * * *" at position 5: minute must be 0–59, got 75.'),
        ("0 9-25 * * *", 'Cron "0 9-25 * * *" at position 4: hour must be 0–23, got 25.'),
        (
            "0 17-9 * * *",
            'Cron "0 17-9 * * *" at position 2: hour has a range that runs backwards: 17-9. Write two ranges '
            "with a comma.",
        ),
        ("0 0 ? * *", 'Cron "0 0 ? * *" at position 4: day of month does not know "?". Write "*".'),
        ("  0   25 * * *", 'Cron "  0   25 * * *" at position 6: hour must be 0–23, got 25.'),
        ("٣ * * * *", 'Cron "٣ * * * *" at position 0: minute must be 0–59, got "٣".'),
        ("0 0 31 2 *", 'Cron "0 0 31 2 *" at position 4: day of month 31 never comes in Feb.'),
        ("0 0 30-31 2 */2", 'Cron "0 0 30-31 2 */2" at position 4: day of month 30 never comes in Feb.'),
        ("0 0 31 4,6,9 *", 'Cron "0 0 31 4,6,9 *" at position 4: day of month 31 never comes in Apr or Jun or Sep.'),
        (
            "* * * *",
            'Cron "* * * *" at position 7: five fields are needed (minute, hour, day of month, month, day of '
            "week), got 4.",
        ),
        (
            "0 * * * * *",
            'Cron "0 * * * * *" at position 10: five fields are needed (minute, hour, day of month, month, day '
            "of week), "
            "got 6. Seconds are not known: the shortest interval is one minute.",
        ),
        (
            "",
            'Cron "" at position 0: five fields are needed (minute, hour, day of month, month, day of week), got 0.',
        ),
        ("@dayly", 'Cron "@dayly" at position 0: no alias is called "@dayly". Did you mean "@daily"?'),
        (
            "@reboot",
            'Cron "@reboot" at position 0: @reboot has no time: a schedule fires by the clock, '
            "whichever process was started.",
        ),
    ],
)
def test_a_wrong_expression_is_refused_with_position_field_and_value(text, said):
    with pytest.raises(CronError) as refusal:
        parse_cron(text)

    assert str(refusal.value) == said


@pytest.mark.parametrize(
    ("alias", "fields"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        (" @Hourly ", "0 * * * *"),
    ],
)
def test_an_alias_means_its_five_fields(alias, fields):
    spelled = parse_cron(fields)

    assert parse_cron(alias).fields == spelled.fields
    assert parse_cron(alias).times == spelled.times


@pytest.mark.parametrize(
    ("field", "minutes"),
    [
        ("*/20", {0, 20, 40}),
        ("5/20", {5, 25, 45}),
        ("10-30/10", {10, 20, 30}),
        ("7", {7}),
        ("1,2,3-5", {1, 2, 3, 4, 5}),
        ("*/90", {0}),  # larger than the field: only its first value, as cron does
    ],
)
def test_a_minute_field_names_these_minutes(field, minutes):
    assert set(parse_cron(f"{field} 0 * * *").times) == minutes


@pytest.mark.parametrize(
    ("field", "weekdays"),
    [
        ("0", {0}),
        ("7", {0}),
        ("sun", {0}),
        ("1-5", {1, 2, 3, 4, 5}),
        ("MON-WED", {1, 2, 3}),
        ("FRI-SUN", {5, 6, 0}),
        ("6-7", {6, 0}),
        ("*/2", {0, 2, 4, 6}),
        ("*/7", {0}),
    ],
)
def test_a_weekday_field_names_these_days_with_sunday_as_zero(field, weekdays):
    assert parse_cron(f"0 0 * * {field}").weekdays.values == weekdays


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 9 * * 1-5", "At 09:00 on Monday through Friday"),
        ("@daily", "At 00:00 every day"),
    ],
)
def test_an_expression_is_said_in_words(text, words):
    assert in_words(parse_cron(text)) == words
