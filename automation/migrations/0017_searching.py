"""Searching: words and kinds of workflows beside their rows, texts of errors, and the lists' filters."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# Kept by the database itself, whoever writes the row; no columns of the model, so that nobody reads them by the way.
# Texts are cut, since a tsvector ends at 1 MB.
# `simple`: names are no sentences, and the installation does not know their language. Weights: name before tags and
# steps before description. `.**` in strict mode finds each step once, however deep it lies.
COLUMNS = """
alter table automation_workflow
  add column search_kinds jsonb generated always as (
    jsonb_path_query_array(definition, 'strict $.**.uses ? (@.type() == "string")', '{}', true)) stored,
  add column search_words tsvector generated always as (
    setweight(to_tsvector('simple', name), 'A')
    || setweight(jsonb_to_tsvector('simple', tags, '["string"]'), 'B')
    || setweight(to_tsvector('simple', left(jsonb_path_query_array(
         definition, 'strict $.**.id ? (@.type() == "string")', '{}', true)::text, 100000)), 'C')
    || setweight(to_tsvector('simple', left(description, 20000)), 'D')) stored,
  add column search_text text generated always as (
    lower(name || ' ' || tags::text || ' ' || left(description, 20000) || ' ' || left(jsonb_path_query_array(
      definition, 'strict $.**.id ? (@.type() == "string")', '{}', true)::text, 100000))) stored;
create index workflow_search_words on automation_workflow using gin (search_words);
create index workflow_search_kinds on automation_workflow using gin (search_kinds);
"""
REMOVE_COLUMNS = """
alter table automation_workflow drop column search_kinds, drop column search_words, drop column search_text;
"""

# Filters of the list of runs: how long one took, and how it failed. Only ended, only failed runs are in them.
RUNS = """
create index run_duration on automation_run (workspace_id, (finished_at - started_at)) where finished_at is not null;
create index rundata_error_class on automation_rundata ((error ->> 'class'), run_id desc) where error is not null;
create index rundata_error_type on automation_rundata ((error ->> 'type'), run_id desc) where error is not null;
"""
REMOVE_RUNS = "drop index run_duration, rundata_error_class, rundata_error_type;"

# Misspelt words, and parts of words, need trigrams. The extension comes with PostgreSQL and may be made by the owner of
# a database; where a host does not offer it, searches still work, by words and slower.
TRIGRAMS = """
do $$
begin
  create extension if not exists pg_trgm;
  create index workflow_search_text on automation_workflow using gin (search_text gin_trgm_ops);
  create index rundata_error_text on automation_rundata
    using gin (upper(error ->> 'message') gin_trgm_ops) where error is not null;
exception when undefined_file or insufficient_privilege or feature_not_supported or undefined_object then
  raise notice 'Searches go without trigrams: %', sqlerrm;
end $$;
"""
# the extension stays: something else may use it by now
REMOVE_TRIGRAMS = "drop index if exists workflow_search_text; drop index if exists rundata_error_text;"


class Migration(migrations.Migration):
    """Raw SQL: generated columns that are no fields, and an extension that may be missing."""

    dependencies: ClassVar = [("automation", "0016_list_filters")]
    operations: ClassVar = [
        migrations.RunSQL(COLUMNS, REMOVE_COLUMNS),
        migrations.RunSQL(RUNS, REMOVE_RUNS),
        migrations.RunSQL(TRIGRAMS, REMOVE_TRIGRAMS),
    ]
