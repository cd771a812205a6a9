"""Template tags of the admin's pages: pills, times, durations. Everything they are given is escaped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from automation.looks import wording
from automation.looks.states import REPLAYS, Look, run_look

register = template.Library()
register.filter("lasted", wording.lasted)
register.filter("grouped", wording.grouped)
register.filter("percent", wording.percent)
register.filter("share_of", wording.share_of)
register.filter("pretty", wording.pretty)
register.filter("shown_json", wording.shown_json)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon that says nothing to a screen reader: the word beside it does."""
    return format_html('<span class="material-symbols-outlined bo-icon {}" aria-hidden="true">{}</span>', extra, name)


@register.simple_tag
def pill(look: Look, text: str = "") -> SafeString:
    """A state as a pill: icon, word, colours of its tone."""
    return format_html(
        '<span class="bo-pill{}" data-tone="{}">{}{}</span>',
        " bo-dashed" if look.is_dashed else "",
        look.tone,
        _glyph(look),
        text or look.word,
    )


@register.simple_tag
def run_pill(run: Any) -> SafeString:
    """A run's state as a pill."""
    return pill(run_look(run.status, run.wait_kind))


@register.simple_tag
def replay_pill(replay: Any) -> SafeString:
    """A replay's state as a pill."""
    return pill(REPLAYS[replay.state])


@register.simple_tag
def glyph(look: Look) -> SafeString:
    """A state as a coloured icon, with its word for screen readers."""
    return format_html(
        '<span class="bo-glyph" data-tone="{}" title="{}">{}<span class="bo-hidden">{}</span></span>',
        look.tone,
        look.word,
        _glyph(look),
        look.word,
    )


@register.simple_tag
def ago(instant: datetime | None) -> SafeString | str:
    """An instant relative to now, the exact one in its title."""
    if instant is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', instant.isoformat(), wording.exact(instant), wording.ago(instant)
    )


@register.simple_tag
def at(instant: datetime | None) -> SafeString | str:
    """An instant as it is, how long ago in its title."""
    if instant is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', instant.isoformat(), wording.ago(instant), wording.exact(instant)
    )


def _glyph(look: Look) -> SafeString:
    turning = " bo-turning" if look.icon == "progress_activity" else ""
    return format_html(
        '<span class="material-symbols-outlined bo-icon{}" aria-hidden="true">{}</span>', turning, look.icon
    )
