"""Store how many uses an invitation was given; how many are left is shown to nobody from here on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("venues", "0006_names_as_they_look")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="uses",
            field=models.PositiveIntegerField(db_default=1, help_text="as many as the event holds, or as its host says"),
        ),
        # What was used up before is not known any more: the uses left are what an old code is for.
        migrations.RunSQL(
            "UPDATE venues_invitation SET uses = greatest(1, uses_left)", migrations.RunSQL.noop
        ),
        migrations.AlterField(
            model_name="invitation",
            name="uses_left",
            field=models.PositiveIntegerField(
                help_text="shown to nobody: it falls with each answered check-in, and a host knows who came"
            ),
        ),
    ]
