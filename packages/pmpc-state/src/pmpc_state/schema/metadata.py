"""The one MetaData, its naming rules, and the table of facts about the database itself."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, Table, Text, TypedColumns

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class SettingColumns(TypedColumns):
    """Facts about this database: its id and a proof of its secret key."""

    name = Column(Text, primary_key=True)
    value = Column(Text, nullable=False)


setting = Table("setting", metadata, SettingColumns)
