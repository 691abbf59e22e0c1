"""Seconds since 1970 in SQL, by which both databases count days, hours and spans alike."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class epoch(GenericFunction[int]):  # noqa: N801 - a function of SQL
    """Whole seconds since 1970 of an instant, on both databases."""

    type = BigInteger()
    inherit_cache = True


@compiles(epoch, "sqlite")
def _epoch_sqlite(element: Any, compiler: Any, **arguments: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **arguments)}) AS INTEGER)"


@compiles(epoch, "postgresql")
def _epoch_postgresql(element: Any, compiler: Any, **arguments: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **arguments)})) AS BIGINT)"
