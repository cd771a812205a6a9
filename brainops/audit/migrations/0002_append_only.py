"""Make the audit tables append-only in the database itself: UPDATE, DELETE and TRUNCATE are refused for everybody."""

from django.db import migrations

FUNCTION = """
create function audit_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'The table % is append-only: % is refused.', tg_table_name, tg_op
        using errcode = 'insufficient_privilege';
end
$$
"""
TRIGGERS = """
create trigger audit_no_change before update or delete on {table}
    for each row execute function audit_refuse_change();
create trigger audit_no_truncate before truncate on {table}
    for each statement execute function audit_refuse_change();
"""
DROP_TRIGGERS = """
drop trigger audit_no_truncate on {table};
drop trigger audit_no_change on {table};
"""
TABLES = ("audit_auditentry", "audit_auditseal")


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "drop function audit_refuse_change()"),
        *(
            migrations.RunSQL(TRIGGERS.format(table=table), DROP_TRIGGERS.format(table=table), elidable=False)
            for table in TABLES
        ),
    ]
