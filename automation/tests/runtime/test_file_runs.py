"""Runs that read a kept file, on the real runtime."""

from __future__ import annotations

from automation.models import FileUse
from automation.services import files
from brainops.accounts.models import Workspace

READ = {"id": "read", "uses": "read_file", "with": {"file": "{{ inputs.file }}", "limit": 1000}}
EACH = {
    "id": "each",
    "for_each": {"items": "{{ steps.read.output.items }}"},
    "needs": ["read"],
    "steps": [{"id": "double", "uses": "transform", "with": {"set": {"n": "{{ item.n }}"}}}],
}
FILE_INPUT = {"type": "object", "properties": {"file": {"type": "object"}}}


def test_a_run_goes_through_the_rows_of_a_file_and_holds_it(make_workflow, accept, runtime, ended):
    output = {"first": "{{ steps.read.output.items[0].n }}", "errors": "{{ steps.read.output.errors }}"}
    version = make_workflow(READ, EACH, inputs=FILE_INPUT, output=output)
    rows = b"n,m\n" + b"".join(b"%d,x\n" % number for number in range(600)) + b"broken\n"
    file = files.keep(version.workspace_id, "rows.csv", "text/csv", rows)

    run = ended(accept(version, inputs={"file": file}).uid, seconds=60)

    assert (run.status_word, run.data.error) == ("succeeded", None)
    assert run.data.output == {
        "first": "0",
        "errors": [{"number": 601, "message": "Row 601: it has 1 field, the header has 2."}],
    }
    assert FileUse.objects.get().run_id == run.id


def test_a_file_of_another_workspace_is_not_there(make_workflow, accept, runtime, ended):
    version = make_workflow(READ, inputs=FILE_INPUT)
    stranger = Workspace.objects.create(name="Globex", slug="globex")
    foreign = files.keep(stranger.id, "rows.csv", "text/csv", b"n\n1\n")

    run = ended(accept(version, inputs={"file": foreign}).uid, seconds=60)

    assert (run.status_word, run.data.error["type"]) == ("failed", "unknown_file")


def test_what_is_no_reference_opens_nothing(make_workflow, accept, runtime, ended):
    version = make_workflow(READ, inputs=FILE_INPUT)

    run = ended(accept(version, inputs={"file": {"$file": "/etc/passwd"}}).uid, seconds=60)

    assert (run.status_word, run.data.error["type"]) == ("failed", "unknown_file")
