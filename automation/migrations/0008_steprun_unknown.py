from django.db import migrations, models


class Migration(migrations.Migration):
    """Find the runs with an outcome that nobody knows."""

    dependencies = [("automation", "0007_workflow_name")]

    operations = [
        migrations.AddIndex(
            model_name="steprun",
            index=models.Index(condition=models.Q(status=53), fields=["run"], name="steprun_unknown"),
        ),
    ]
