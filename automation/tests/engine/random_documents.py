"""Random documents with containers in containers that nothing is wrong with."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

MOST_STEPS = 12
LEAVES = ("plain", "plain", "branch", "each")
CONTAINERS = ("loop", "while", "try", "group", "call")


@st.composite
def documents(draw: st.DrawFn, *, containers: tuple[str, ...] = CONTAINERS, is_steady: bool = False) -> dict[str, Any]:
    """A valid document: every need, port and reference leads somewhere.

    `containers` are the forms there may be besides single steps. `is_steady`: what comes out depends neither on the
    order in which steps run (`join: any`) nor on failures inside of items that are let pass.
    """
    maker = _Maker(draw, containers, is_steady=is_steady)
    steps = maker.steps([], depth=0)
    read = maker.expression([step["id"] for step in steps])
    return {"schema": 1, "inputs": {"type": "object"}, "steps": steps, "output": {"x": read}}


class _Maker:
    """Draws steps; `seen` are the ids that are certain to have ended."""

    def __init__(self, draw: st.DrawFn, containers: tuple[str, ...], *, is_steady: bool) -> None:
        self.draw = draw
        self.count = 0
        self._containers = containers
        self._is_steady = is_steady
        self._joins = ["all"] if is_steady else ["all", "any"]

    def steps(self, seen: list[str], *, depth: int, roots: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """One list of steps, at least one."""
        made: list[dict[str, Any]] = []
        while not made or (self.count < MOST_STEPS and self.draw(st.booleans())):
            made.append(self.step(made, seen, depth=depth, roots=roots))
        return made

    def step(
        self, before: list[dict[str, Any]], seen: list[str], *, depth: int, roots: tuple[str, ...]
    ) -> dict[str, Any]:
        """A step of any form that needs some of those before it."""
        self.count += 1
        name = f"s{self.count}"
        ids = [step["id"] for step in before]
        needs = self.draw(st.lists(st.sampled_from(ids), unique=True, max_size=3)) if ids else []
        form = self.draw(
            st.sampled_from((*LEAVES, *(self._containers if depth < 4 and self.count < MOST_STEPS else ())))
        )
        readable = [*seen, *needs]
        fields = {"id": name, **getattr(self, f"_{form}")(readable, depth, roots)}
        if needs:
            fields |= {
                "needs": [self.need(one, before) for one in needs],
                "join": self.draw(st.sampled_from(self._joins)),
            }
        if not (self._is_steady and "item" in roots) and self.draw(st.booleans()):
            fields["on_error"] = self.draw(st.sampled_from(["fail", "continue"]))
        return fields

    def need(self, name: str, before: list[dict[str, Any]]) -> str:
        """A need of the step, or of one of its outcomes."""
        step = next(step for step in before if step["id"] == name)
        ports = ["error"] if step.get("on_error") == "continue" else []
        ports += ["ok", "caught"] if "try" in step else ["true"] if step.get("uses") == "condition" else []
        return self.draw(st.sampled_from([name, *(f"{name}.{port}" for port in ports)]))

    def expression(self, seen: list[str], *roots: str) -> str:
        """An expression over what is there."""
        return self.draw(st.sampled_from(["{{ 1 }}", *(f"{{{{ {root} }}}}" for root in roots), *map(_read, seen)]))

    def _plain(self, seen: list[str], _depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        return {"uses": "transform", "with": {"set": {"x": self.expression(seen, *roots)}}}

    def _branch(self, seen: list[str], _depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        return {"uses": "condition", "with": {"when": self.expression(seen, *roots)}}

    def _each(self, seen: list[str], depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        loop = {"items": [1, self.expression(seen, *roots)], "label": "No. {{ index }}"}
        return {"for_each": loop, **self._plain(seen, depth, (*roots, "item"))}

    def _loop(self, seen: list[str], depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        lets_pass = not (self._is_steady and "item" in roots)
        on_item_error = self.draw(st.sampled_from(["fail", "continue"] if lets_pass else ["fail"]))
        loop = {"items": "{{ inputs.x }}", "on_item_error": on_item_error, "concurrency": 3}
        return {"for_each": loop, **self._body(seen, depth, (*roots, "item", "index"))}

    def _while(self, seen: list[str], depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        roots = (*roots, "item", "index")
        return {"while": {"when": self.expression(seen, *roots), "max_iterations": 3}, **self._body(seen, depth, roots)}

    def _try(self, seen: list[str], depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        body = self._body(seen, depth, roots)
        handlers = self.draw(st.sampled_from([("catch",), ("finally",), ("catch", "finally")]))
        made = {key: self.steps(seen, depth=depth + 1, roots=(*roots, "error")) for key in handlers}
        return {"try": made, **body}

    def _group(self, seen: list[str], depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        return self._body(seen, depth, roots)

    def _call(self, seen: list[str], _depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        return {"call": {"workflow": "other", "inputs": {"x": self.expression(seen, *roots)}}}

    def _body(self, seen: list[str], depth: int, roots: tuple[str, ...]) -> dict[str, Any]:
        steps = self.steps(seen, depth=depth + 1, roots=roots)
        return {"steps": steps, "output": self.expression([*seen, *(step["id"] for step in steps)], *roots)}


def _read(name: str) -> str:
    return f"{{{{ {name} }}}}" if "." in name else f"{{{{ steps.{name}.output }}}}"
