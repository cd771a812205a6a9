"""What the planner has to know of expressions that runs are filtered by: it takes no numbers from partial indexes."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# Without them a filter that fits one run in a million is taken for one that fits every third, and the list is walked.
STATISTICS = """
create statistics run_duration_numbers on (finished_at - started_at) from automation_run;
create statistics rundata_error_numbers
  on (upper(error ->> 'message')), (error ->> 'class'), (error ->> 'type') from automation_rundata;
"""
REMOVE = "drop statistics run_duration_numbers, rundata_error_numbers;"


class Migration(migrations.Migration):
    """Raw SQL: Django has no extended statistics."""

    dependencies: ClassVar = [("automation", "0019_json_gate")]
    operations: ClassVar = [migrations.RunSQL(STATISTICS, REMOVE)]
