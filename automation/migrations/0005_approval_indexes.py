"""Find what waits for people, and what waited too long, without reading everything ever decided."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("automation", "0004_run_family")]

    operations = [
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
