"""CPU per evaluated expression, budget included, beside the same thing written by hand in Python.

    python -m benchmarks.expressions [--rounds 7] [--only path,condition]

The scope is about 9 KB of JSON. `compile` is the first use of a source, without the cache; `hand` is what a person
would write in Python for this very case, without limits or messages. The best of the rounds counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from automation.engine.expressions import Budget, compile_template, compile_tree
from automation.engine.expressions.template import _compile
from benchmarks.figures import machine, show

ROWS = [
    {"id": i, "active": i % 2 == 0, "total": i * 1.5, "customer": {"name": f"Customer {i}", "country": "DE"}}
    for i in range(100)
]
SCOPE: dict[str, Any] = {
    "inputs": {"order_id": "A-1042", "name": "Ada"},
    "steps": {"order": {"output": {"body": {"total": 1200, "region": "EU", "rows": ROWS}}}},
    "run": {"id": "7f3c", "started_at": "2026-03-29T18:08:01Z"},
}
BODY = "steps.order.output.body"
TREE = {
    "method": "POST",
    "url": "/orders/{{ inputs.order_id }}",
    "json": {"name": "{{ inputs.name|upper }}", "total": f"{{{{ {BODY}.total }}}}", "source": {"kind": "workflow"}},
}


def _body(scope: dict[str, Any]) -> dict[str, Any]:
    return scope["steps"]["order"]["output"]["body"]


CASES: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "path": (f"{{{{ {BODY}.total }}}}", lambda s: _body(s)["total"]),
    "condition": (f"{{{{ {BODY}.total > 1000 }}}}", lambda s: _body(s)["total"] > 1000),
    "two conditions": (
        f"{{{{ {BODY}.total > 1000 and {BODY}.region in ['EU', 'US'] }}}}",
        lambda s: _body(s)["total"] > 1000 and _body(s)["region"] in ["EU", "US"],
    ),
    "template": (
        f"Order {{{{ inputs.order_id }}}} of {{{{ inputs.name|upper }}}}: {{{{ {BODY}.total }}}}",
        lambda s: f"Order {s['inputs']['order_id']} of {s['inputs']['name'].upper()}: {_body(s)['total']}",
    ),
    "filter and sum 100": (
        f"{{{{ {BODY}.rows|selectattr('active')|sum(attribute='total') }}}}",
        lambda s: sum(row["total"] for row in _body(s)["rows"] if row["active"]),
    ),
    "compare, map, sum 100": (
        f"{{{{ {BODY}.rows|selectattr('total', 'gt', 20)|map(attribute='total')|sum }}}}",
        lambda s: sum(row["total"] for row in _body(s)["rows"] if row["total"] > 20),
    ),
    "map and join 100": (
        f"{{{{ {BODY}.rows|map(attribute='customer.name')|join(', ') }}}}",
        lambda s: ", ".join(row["customer"]["name"] for row in _body(s)["rows"]),
    ),
}


def best_microseconds(run: Callable[[], object], rounds: int, times: int) -> float:
    """CPU of one call, from the fastest of the rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            run()
        best = min(best, (time.process_time() - began) / times)
    return round(best * 1e6, 2)


def main() -> None:
    """Measure every case, or those named."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--only", default="", help="cases, separated by commas")
    given = options.parse_args()
    wanted = set(filter(None, given.only.split(",")))
    show("machine", machine())
    for name, (source, by_hand) in CASES.items():
        if not wanted or name in wanted:
            _measure(name, source, by_hand, given.rounds)
    if not wanted or "tree" in wanted:
        tree = compile_tree(TREE)
        figures = {"evaluate_us": best_microseconds(lambda: tree.render(SCOPE, Budget()), given.rounds, 5000)}
        show("tree of 3 templates", figures)


def _measure(name: str, source: str, by_hand: Callable[[dict[str, Any]], Any], rounds: int) -> None:
    template = compile_template(source)
    if template.evaluate(SCOPE) != by_hand(SCOPE):
        raise ValueError(f"{source!r} gives {template.evaluate(SCOPE)!r}, by hand it is {by_hand(SCOPE)!r}.")
    times = 1000 if "100" in name else 10_000
    show(
        name,
        {
            "evaluate_us": best_microseconds(lambda: template.evaluate(SCOPE, Budget()), rounds, times),
            "hand_us": best_microseconds(lambda: by_hand(SCOPE), rounds, times),
            "compile_us": best_microseconds(lambda: _compile(source), rounds, 200),
        },
    )


if __name__ == "__main__":
    main()
