from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('passes', '0005_tickets'),
    ]

    operations = [
        migrations.CreateModel(
            name='Tombstone',
            fields=[
                ('mark', models.BinaryField(help_text='HMAC(pepper, label || tag or owner hash)[:16]', max_length=16, primary_key=True, serialize=False)),
                ('sealed_venue', models.BinaryField(help_text='masked with HMAC(pepper, label || tag): readable with the pass alone; else random', max_length=8)),
                ('epoch', models.DateField()),
            ],
        ),
    ]
