"""Alembic's environment: online on the connection it is handed, offline as SQL text of a named dialect."""

from __future__ import annotations

from alembic import context

configuration = context.config
connection = configuration.attributes.get("connection")
target = configuration.attributes.get("metadata")

if connection is None:
    name = configuration.attributes["dialect"]
    # What SQLAlchemy sees on a connection to Azure SQL: without it the text would say IMAGE where VARBINARY is made.
    options = {"deprecate_large_types": True} if name == "mssql" else {}
    context.configure(dialect_name=name, dialect_opts=options, literal_binds=True, as_sql=True, target_metadata=target)
else:
    context.configure(connection=connection, target_metadata=target, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
