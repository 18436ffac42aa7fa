# SPDX-License-Identifier: PostgreSQL
from django.db import models


class Order(models.Model):
    id = models.IntegerField(primary_key=True)
    status = models.TextField()

    class Meta:
        db_table = "orders"
        constraints = [models.CheckConstraint(check=models.Q(status__in=["open", "paid"]), name="orders_status_check")]
