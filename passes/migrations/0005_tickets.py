"""Tickets instead of a count of draws; registered keys are hashed with labels.

What is kept of a registered key is a hash and cannot be hashed again, so the rows go: an app registers its key again
when a draw answers 401. No pass is touched.
"""

from django.db import migrations, models


def forget_registrations(apps, schema_editor):
    apps.get_model('passes', 'Visitor').objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('passes', '0004_no_second_venue_index'),
    ]

    operations = [
        migrations.DeleteModel(name='Draw'),
        migrations.RunPython(forget_registrations, migrations.RunPython.noop),
        migrations.CreateModel(
            name='DrawnSet',
            fields=[
                ('drawn_hash', models.BinaryField(help_text='HMAC(pepper, "drawn" || K_auth || e)', max_length=32, primary_key=True, serialize=False)),
                ('set_hash', models.BinaryField(max_length=32)),
                ('epoch', models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name='SpentTicket',
            fields=[
                ('nonce_hash', models.BinaryField(help_text='HMAC(pepper, "spent-ticket" || nonce)[:16]', max_length=16, primary_key=True, serialize=False)),
                ('body_hash', models.BinaryField(help_text='HMAC(pepper, "body" || nonce || body)[:16]', max_length=16)),
                ('go', models.BooleanField()),
                ('epoch', models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name='TicketKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('epoch', models.DateField()),
                ('ticket_class', models.CharField(help_text='passes.codec.ticket_keys.TicketClass', max_length=8)),
                ('public', models.BinaryField(help_text='SubjectPublicKeyInfo, DER', null=True)),
                ('private', models.BinaryField(help_text='PKCS #8, DER, encrypted', null=True)),
                ('counts', models.BooleanField(default=True, help_text='false after a restore: a ticket may have been spent before it')),
            ],
        ),
        migrations.AddConstraint(
            model_name='ticketkey',
            constraint=models.UniqueConstraint(fields=('epoch', 'ticket_class'), name='one_ticket_key_a_class'),
        ),
    ]
