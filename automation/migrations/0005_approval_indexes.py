"""Find what waits for people, and what waited too long, without reading everything ever decided."""

from django.db import migrations, models

_STATES = [
    ("pending", "pending"),
    ("approved", "approved"),
    ("rejected", "rejected"),
    ("expired", "expired"),
    ("withdrawn", "withdrawn"),
    ("happened", "happened"),
    ("repeat", "repeat"),
    ("fail", "fail"),
]


class Migration(migrations.Migration):
    dependencies = [("automation", "0004_run_family")]

    operations = [
        migrations.AlterField(
            model_name="approval",
            name="state",
            field=models.CharField(choices=_STATES, db_default="pending", max_length=20),
        ),
        migrations.AlterField(
            model_name="approvalvote",
            name="verdict",
            field=models.CharField(choices=_STATES, max_length=20),
        ),
        migrations.AlterModelOptions(
            name="approval",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("decide_approval", "Can decide approval")],
            },
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                fields=["expires_at"],
                name="approval_expiry",
                condition=models.Q(("expires_at__isnull", False), ("state", "pending")),
            ),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                fields=["workspace", "-created_at", "-id"],
                name="approval_open",
                condition=models.Q(("state", "pending")),
            ),
        ),
    ]
