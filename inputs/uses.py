"""Uses of columns: the accepted types, and how each is read."""

from collections.abc import Callable
from dataclasses import dataclass

from semantic_id_ranking.inputs.column_type import ColumnType
from semantic_id_ranking.inputs.column_type import Kind

# What DuckDB has no number for (infinite times) is out of any range.
_TIME = "CASE WHEN {0} IS NOT NULL THEN coalesce(epoch_us({0}), 9223372036854775807) END"
_TEXT = {Kind.TEXT: "encode({0})", Kind.BYTES: "{0}", Kind.UUID: "encode({0}::VARCHAR)"}
_DIGITS = "encode({0}::VARCHAR)"
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN)


@dataclass(frozen=True)
class Reading:
    """The reading of a column of some type.

    Attributes:
        group: Types of one group are read alike; a column has one group in all files.
        sql: Expression of DuckDB, with {0} for the column.
    """

    group: str
    sql: str


@dataclass(frozen=True)
class Use:
    """A use of columns.

    Attributes:
        expected: The types that it takes, for messages.
        null: SQL of the null of its type.
        reading: Type -> how it is read; None: it cannot be.
    """

    expected: str
    null: str
    reading: Callable[[ColumnType], Reading | None]

    def read(self, kind: ColumnType) -> Reading | None:
        """The reading of a column of a type; None if there is none. Nulls always have one."""
        return Reading("null", self.null) if kind.kind is Kind.NULL else self.reading(kind)


def _id(kind: ColumnType) -> Reading | None:
    if kind.kind is Kind.INTEGER:
        return Reading("integer", _DIGITS)
    return Reading("text", _TEXT[kind.kind]) if kind.kind in _TEXT else None


def _category(kind: ColumnType) -> Reading | None:
    return Reading("boolean", _DIGITS) if kind.kind is Kind.BOOLEAN else _id(kind)


def _number(kind: ColumnType) -> Reading | None:
    return Reading("number", "{0}::DOUBLE") if kind.kind in _NUMBERS else None


def _time(kind: ColumnType) -> Reading | None:
    return Reading("time", _TIME) if kind.kind is Kind.TIME else None


def _floats(kind: ColumnType) -> Reading | None:
    is_floats = kind.kind is Kind.LIST and kind.value.kind is Kind.FLOAT
    return Reading("floats", "{0}") if is_floats else None


def _codes(kind: ColumnType) -> Reading | None:
    is_codes = kind.kind is Kind.LIST and kind.value.kind is Kind.INTEGER
    return Reading("codes", "{0}::BIGINT[]") if is_codes else None


def _carried(kind: ColumnType) -> Reading | None:
    if kind.kind is Kind.LIST:
        value = _scalar(kind.value)
        if value is None:
            return None
        same = value.group == "float" and kind.value.kind is Kind.FLOAT
        sql = "{0}" if same else f"[{value.sql.format('x')} for x in {{0}}]"
        return Reading(f"list of {value.group}", sql)
    return _scalar(kind)


def _scalar(kind: ColumnType) -> Reading | None:
    if kind.kind in _TEXT:
        return Reading("bytes", _TEXT[kind.kind])
    if kind.kind is Kind.BOOLEAN or (kind.kind is Kind.INTEGER and kind.fits_int64):
        return Reading("int64", "{0}::BIGINT")
    if kind.kind is Kind.INTEGER:  # No Example holds such an integer: its digits do.
        return Reading("bytes", _DIGITS)
    if kind.kind is Kind.TIME:
        return Reading("int64", _TIME)
    return Reading("float", "{0}::DOUBLE") if kind.kind in (Kind.FLOAT, Kind.DECIMAL) else None


IDS = Use("a string or an integer", "NULL::BLOB", _id)
CATEGORIES = Use("strings, integers or booleans", "NULL::BLOB", _category)
NUMBERS = Use("a number", "NULL::DOUBLE", _number)
BINARY_LABELS = Use("0 or 1 (false or true), the label of a binary task", "NULL::DOUBLE", _number)
TIMES = Use(
    "a timestamp or a date; convert integers and strings before they are written, in pandas with "
    "pd.to_datetime(column, unit='s', utc=True) and the unit they are in",
    "NULL::BIGINT",
    _time,
)
EMBEDDINGS = Use("a list of float32 or float64", "NULL::FLOAT[]", _floats)
SIDS = Use("a list of integers", "NULL::BIGINT[]", _codes)
#: A column that is only carried along: integers and times as int64, text as bytes, else float.
CARRIED = Use(
    "a string, integer, float, boolean or timestamp, or a list of those", "NULL::BLOB", _carried
)
