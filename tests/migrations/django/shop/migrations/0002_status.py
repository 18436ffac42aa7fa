# SPDX-License-Identifier: PostgreSQL
from django.db import migrations, models
from django.db.models.functions import Lower


def lower(apps, _):
    apps.get_model("shop", "Order").objects.update(status=Lower("status"))


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_orders")]
    operations = [
        migrations.RunPython(lower),
        migrations.AddConstraint("order", models.CheckConstraint(
            check=models.Q(status__in=["open", "paid"]), name="orders_status_check"))]
