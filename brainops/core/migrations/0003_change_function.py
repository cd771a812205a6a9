"""What notes changes never fails, whoever writes and whatever a row holds, and knows partitions and quoted names."""

from django.db import migrations

# The name of the table comes with the trigger: partitions fire under their own names, and quoted names name a schema.
# It runs with the rights of its owner, since programs that write to a watched table need none on ours.
NOTE_CHANGE = """
create or replace function core_note_change() returns trigger language plpgsql security definer as $$
declare
  watched text := coalesce(tg_argv[0], tg_table_name);
  was jsonb;
  became jsonb;
  fits boolean := false;
begin
  if not exists (select from core_modelwatch w where w."table" = watched and lower(tg_op) = any(w.operations)) then
    return null;
  end if;
  begin  -- a row that JSON cannot hold (256 MB a text) is noted without its values
    if tg_op <> 'INSERT' then was := to_jsonb(old); end if;
    if tg_op <> 'DELETE' then became := to_jsonb(new); end if;
    fits := coalesce(pg_column_size(was), 0) <= 1048576 and coalesce(pg_column_size(became), 0) <= 1048576;
  exception when others then
    was := null;
    became := null;
  end;
  insert into core_modelchange (watch_id, operation, before, after)
  select w.id, lower(tg_op), case when fits then was - w.hidden end, case when fits then became - w.hidden end
  from core_modelwatch w
  where w."table" = watched and lower(tg_op) = any(w.operations)
    and (tg_op <> 'UPDATE' or was is null or (was is distinct from became and (
      cardinality(w.columns) = 0
      or exists (select from unnest(w.columns) as c(name) where was->c.name is distinct from became->c.name))));
  return null;
end $$;

do $$ begin
  execute format('alter function core_note_change() set search_path = %I, pg_temp', current_schema());
end $$
"""


class Migration(migrations.Migration):
    """The function anew."""

    dependencies = [("core", "0002_changes")]

    operations = [migrations.RunSQL(NOTE_CHANGE, migrations.RunSQL.noop)]
