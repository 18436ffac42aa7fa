# SPDX-License-Identifier: PostgreSQL
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel(
        "Order", [("id", models.IntegerField(primary_key=True)), ("status", models.TextField())],
        {"db_table": "orders"})]
