# SPDX-License-Identifier: PostgreSQL
import sqlalchemy
from alembic import context

with sqlalchemy.create_engine("postgresql+psycopg2://").connect() as connection:
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
