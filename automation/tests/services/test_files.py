"""Files: kept in pieces, held by runs, gone with them."""

from __future__ import annotations

import hashlib
import io
import random
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import FileChunk, FileUse, Run, StorageUse, StoredFile, WorkflowVersion
from automation.reading.stream import CHUNK_BYTES
from automation.services import departures, files, quotas, storage_use
from automation.store.connection import Connection
from automation.store.delete_runs import delete_runs
from automation.store.prune import prune_runs
from brainops.accounts.models import Workspace
from brainops.core import clock
from brainops.core.errors import NotFound, TooLarge

LARGE = random.Random(5).randbytes(2 * CHUNK_BYTES + 77)


@pytest.fixture
def version(make_workflow: Any) -> WorkflowVersion:
    made: WorkflowVersion = make_workflow()
    return made


def keep(version: WorkflowVersion, data: bytes = b"a,b\n1,2\n", name: str = "orders.csv") -> dict[str, Any]:
    return files.keep(version.workspace_id, name, "text/csv", data)


def let_time_pass(**values: float) -> None:
    """Let what waits for a run have waited longer."""
    for file in StoredFile.objects.exclude(expires_at=None):
        StoredFile.objects.filter(id=file.id).update(expires_at=file.expires_at - timedelta(**values))


def test_a_file_comes_back_as_it_went_in(version):
    reference = files.keep(version.workspace_id, "large.bin", "image/PNG; x=1", io.BytesIO(LARGE))

    assert reference == {
        "$file": reference["$file"],
        "name": "large.bin",
        "content_type": "image/png",
        "size": len(LARGE),
        "sha256": hashlib.sha256(LARGE).hexdigest(),
    }
    assert files.open_file(version.workspace_id, reference).read() == LARGE
    assert b"".join(files.content(files.find(version.workspace_id, reference))) == LARGE
    assert FileChunk.objects.count() == 3


def test_a_file_is_read_from_any_place(version):
    stream = files.open_file(version.workspace_id, keep(version, LARGE))

    stream.seek(CHUNK_BYTES - 3)
    middle = stream.read(6)
    stream.seek(-5, io.SEEK_END)
    end = stream.read()

    assert (middle, end) == (LARGE[CHUNK_BYTES - 3 : CHUNK_BYTES + 3], LARGE[-5:])


def test_the_same_file_again_is_the_one_that_waits(version, accept):
    first, again, other = keep(version), keep(version), keep(version, name="b.csv")
    accept(version, inputs={"file": first})
    later = keep(version)

    assert (again["$file"], StoredFile.objects.count()) == (first["$file"], 3)
    assert len({first["$file"], other["$file"], later["$file"]}) == 3


def test_an_empty_file_is_a_file(version):
    reference = keep(version, b"")

    assert files.open_file(version.workspace_id, reference).read() == b""
    assert reference["size"] == 0


def test_a_file_too_large_leaves_nothing(version, settings):
    settings.BRAINOPS_LIMITS = settings.BRAINOPS_LIMITS | {"file_bytes": 1024}

    with pytest.raises(TooLarge) as refused:
        keep(version, b"x" * 1025)

    assert refused.value.message == (
        'The file "orders.csv" has more than 1,024 bytes, the most that is kept of one file. '
        "An operator can raise BRAINOPS_LIMIT_FILE_BYTES."
    )
    assert (StoredFile.objects.count(), FileChunk.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.csv", "a.csv"),
        ("two\nlines\x00.csv", "two\N{REPLACEMENT CHARACTER}lines\N{REPLACEMENT CHARACTER}.csv"),
        ("caf\udce9.csv", "caf?.csv"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300 + ".csv", "x" * 251 + ".csv"),
        ("x" * 300, "x" * 255),
    ],
    ids=["path", "drive", "control", "bytes", "dots", "none", "long", "long-plain"],
)
def test_a_name_is_never_a_path(name, clean):
    assert files.clean_name(name) == clean


def test_what_is_no_media_type_is_plain_bytes():
    assert [files.clean_type(text) for text in ("text/html\r\nX: 1", "", "Text/CSV; header=present")] == [
        "application/octet-stream",
        "application/octet-stream",
        "text/csv",
    ]


@pytest.mark.parametrize("reference", [{}, {"$file": 7}, {"$file": "../x"}, {"$file": str(UUID(int=7))}], ids=repr)
def test_what_refers_to_nothing_opens_nothing(version, reference):
    with pytest.raises(NotFound):
        files.open_file(version.workspace_id, reference)


def test_a_file_of_another_workspace_is_not_there(version):
    stranger = Workspace.objects.create(name="Globex", slug="globex")

    with pytest.raises(NotFound):
        files.open_file(stranger.id, keep(version))


def test_a_run_takes_hold_of_the_files_its_input_names(version, accept):
    one, two, unused = keep(version, b"1"), keep(version, b"2"), keep(version, b"3")

    run = accept(version, inputs={"list": [one]}, trigger={"item": {"file": two, "text": '"$file":"x"'}})

    held = set(FileUse.objects.filter(run_id=run.id).values_list("file_id", flat=True))
    waiting = set(StoredFile.objects.exclude(expires_at=None).values_list("id", flat=True))
    assert (held, waiting) == ({UUID(one["$file"]), UUID(two["$file"])}, {UUID(unused["$file"])})


def test_a_large_input_takes_hold_of_its_files_too(version, accept):
    file = keep(version)

    run = accept(version, inputs={"file": file, "rest": "x" * 50_000})

    assert FileUse.objects.get().run_id == run.id


def test_a_duplicate_start_takes_hold_of_nothing(version, accept):
    accept(version, dedupe_key="key:1")

    accept(version, inputs={"file": keep(version)}, dedupe_key="key:1")

    assert FileUse.objects.count() == 0
    assert StoredFile.objects.get().expires_at is not None


def test_a_run_takes_no_file_of_another_workspace(version, accept):
    stranger = Workspace.objects.create(name="Globex", slug="globex")
    foreign = files.keep(stranger.id, "a.csv", "text/csv", b"x")

    accept(version, inputs={"file": foreign, "gone": {"$file": str(uuid4())}})

    assert FileUse.objects.count() == 0


def test_what_no_run_took_goes_after_a_day(version, accept):
    accept(version, inputs={"file": keep(version)})
    keep(version, LARGE)

    early = files.forget_expired()
    let_time_pass(days=1, seconds=1)
    late = files.forget_expired()

    assert (early, late, StoredFile.objects.count(), FileChunk.objects.count()) == (0, 1, 1, 1)


def test_a_file_goes_with_its_last_run(version, accept):
    file = keep(version)
    runs = [accept(version, inputs={"file": file}) for _ in range(2)]
    Run.objects.all().update(status=RunStatus.SUCCEEDED, finishes=1, finished_at=clock.now())

    left = []
    for run in runs:
        prune_runs(Connection(), [run.id])
        files.forget_expired()
        left.append(StoredFile.objects.count())

    assert left == [1, 0]
    assert FileChunk.objects.count() == 0


def test_files_go_with_their_workflow(version, accept):
    accept(version, inputs={"file": keep(version)})

    with connection.cursor() as cursor:
        delete_runs(cursor, [version.workflow_id])
    files.forget_expired()

    assert (StoredFile.objects.count(), FileUse.objects.count()) == (0, 0)


def test_files_go_with_their_workspace(version, accept):
    accept(version, inputs={"file": keep(version)})
    keep(version, b"x")

    departures.clear(version.workspace_id)

    assert (StoredFile.objects.count(), FileChunk.objects.count(), FileUse.objects.count()) == (0, 0, 0)


def test_files_count_into_the_storage(version):
    keep(version, LARGE)

    assert storage_use.measure()[version.workspace_id] == len(LARGE) + 100


def test_a_file_beyond_the_storage_is_refused(version):
    Workspace.objects.filter(id=version.workspace_id).update(max_storage_bytes=300)
    looked = clock.now() - timedelta(minutes=1)
    StorageUse.objects.create(workspace_id=version.workspace_id, used_bytes=100, measured_at=looked)
    quotas.remembered.forget_all()
    keep(version, b"x" * 150)

    with pytest.raises(quotas.QuotaExceeded) as refused:
        keep(version, b"x" * 51)

    assert refused.value.details == {"quota": {"name": "storage_bytes", "used": 250, "limit": 300}}
    assert StoredFile.objects.count() == 1
