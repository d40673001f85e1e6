"""Types of Parquet columns, as DuckDB names them."""

import enum
import re
from dataclasses import dataclass

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
#: Names that people know from Arrow and pandas.
_NAMES = {
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "UTINYINT": "uint8",
    "USMALLINT": "uint16",
    "UINTEGER": "uint32",
    "UBIGINT": "uint64",
    "FLOAT": "float",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "BLOB": "binary",
    "BOOLEAN": "bool",
}


class Kind(enum.Enum):
    """The kind of a column's type: all types of a kind are read alike.

    Attributes:
        TEXT: Strings: BYTE_ARRAY of UTF-8, JSON, enumerations.
        BYTES: Binary of variable or fixed length, without a type of its own.
        UUID: 16 bytes that are annotated as a UUID.
        INTEGER: Integers of 8 to 64 bits, signed or not, and decimals of scale 0.
        DECIMAL: Other decimals of 38 digits at most.
        FLOAT: Floats of 16, 32 or 64 bits.
        BOOLEAN: True and false.
        TIME: Timestamps of any unit, with a zone or without, INT96, dates.
        NULL: Nothing but nulls.
        LIST: Lists.
        OTHER: Structs, maps, times of the day, intervals, longer decimals and whatever is unknown.
    """

    TEXT = "text"
    BYTES = "bytes"
    UUID = "uuid"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TIME = "time"
    NULL = "null"
    LIST = "list"
    OTHER = "other"


@dataclass(frozen=True)
class ColumnType:
    """A column's type.

    Attributes:
        sql: DuckDB's name of it, such as "DECIMAL(20,0)" or "FLOAT[]".
        kind: How it is read.
    """

    sql: str
    kind: Kind

    @classmethod
    def parse(cls, sql: str) -> "ColumnType":
        """The type of a name that DuckDB's DESCRIBE gives."""
        return cls(sql, _kind(sql))

    @property
    def value(self) -> "ColumnType":
        """The type of a list's values."""
        return ColumnType.parse(self.sql.removesuffix("[]"))

    @property
    def fits_int64(self) -> bool:
        """Whether the integers of this type are within 64 bits, signed."""
        digits = re.fullmatch(r"DECIMAL\((\d+),0\)", self.sql)
        return int(digits[1]) <= 18 if digits else self.sql in _INTEGERS

    def __str__(self) -> str:
        if self.kind is Kind.LIST:
            return f"list<{self.value}>"
        return _NAMES.get(self.sql, self.sql.lower())


#: A column of hive-style folders.
TEXT = ColumnType("VARCHAR", Kind.TEXT)
#: A column that a file does not have.
NULL = ColumnType("NULL", Kind.NULL)


def _kind(sql: str) -> Kind:
    if sql.endswith("[]"):
        return Kind.LIST
    if sql in _INTEGERS or sql == "UBIGINT" or re.fullmatch(r"DECIMAL\(\d+,0\)", sql):
        return Kind.INTEGER
    for kind, prefixes in {
        Kind.TEXT: ("VARCHAR", "JSON", "ENUM("),
        Kind.BYTES: ("BLOB",),
        Kind.UUID: ("UUID",),
        Kind.DECIMAL: ("DECIMAL(",),
        Kind.FLOAT: ("FLOAT", "DOUBLE"),
        Kind.BOOLEAN: ("BOOLEAN",),
        Kind.TIME: ("TIMESTAMP", "DATE"),
        Kind.NULL: ("NULL",),
    }.items():
        if sql.startswith(prefixes):
            return kind
    return Kind.OTHER
