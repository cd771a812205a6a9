"""The report of `make load` as Markdown."""

from __future__ import annotations

from typing import Any

HEAD = "| what | runs | a second | accept p50 / p95 / p99 | accepted → finished p50 / p95 / p99 | failed |"


def markdown(figures: dict[str, Any]) -> str:
    """A table for people; the same figures as the JSON."""
    place, cpu = figures["machine"], figures["cpu_seconds"]
    together = f"{figures['accepted_per_second']} runs accepted and {figures['ended_per_second']} ended a second"
    lines = [
        f"{figures['clients']} clients, {figures['pause_seconds']:g} s between two requests of each, for "
        f"{figures['seconds']:g} s on {place['cores']} cores ({place['cpu']}), Python {place['python']}, "
        f"{place['date']}.",
        "",
        HEAD,
        "|---|---|---|---|---|---|",
        *(_row(shape) for shape in figures["shapes"].values()),
        "",
        f"- Together: {together}; the last one {figures['settled_after_seconds']:g} s after the clients.",
        f"- Schedules: {figures['schedules']['slots']} slots, {figures['schedules']['runs']} runs, "
        f"{figures['schedules']['effects']} effects.",
        f"- **Lost {figures['lost']}, doubled {figures['doubled']}**. Answers by status: {_pairs(figures['answers'])}.",
        f"- CPU seconds: {_pairs(cpu)}. Memory at most: {figures['memory_mb_peak']} MB (PSS, product and servers).",
    ]
    return "\n".join(lines) + "\n"


def _row(shape: dict[str, Any]) -> str:
    accept, finished = (_three(shape[name]) for name in ("accept", "accepted_to_finished"))
    return (
        f"| {shape['what']} | {shape['runs']:,} | {shape['per_second']} | {accept} | {finished} | {shape['failed']} |"
    )


def _three(values: dict[str, float]) -> str:
    return " / ".join(f"{values[name]:g}" for name in ("p50_ms", "p95_ms", "p99_ms")) + " ms"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
