"""Addresses are confirmed from now on. Those of before are not: nobody ever showed that the mailbox is theirs.

Who asked for mails about a place still wants them, and gets them once they open the link that the pages of their
account send. Nothing is mailed from here, for an address may be a stranger's; forgotten passwords work as before, and
confirm.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('venues', '0004_alert_mails'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ConfirmedEmail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('confirmed_at', models.DateTimeField()),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='confirmed_email', to=settings.AUTH_USER_MODEL)),
            ],
        ),
    ]
