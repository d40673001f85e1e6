"""Division of a budget of table rows."""

from collections.abc import Sequence


def split_rows(budget: int, capacities: Sequence[int]) -> list[int]:
    """Gives every group the same number of rows, but none more than it can use.

    What a group leaves goes to the others, in equal parts.

    Args:
        budget: Rows to give, at least one a group.
        capacities: Rows that each group can use.

    Returns:
        Rows of each group.

    Raises:
        ValueError: There are fewer rows than groups.
    """
    if budget < len(capacities):
        raise ValueError(f"{budget} rows cannot be shared by {len(capacities)} tables")
    rows = [0] * len(capacities)
    smallest_first = sorted(range(len(capacities)), key=capacities.__getitem__)
    for groups_left, group in zip(range(len(capacities), 0, -1), smallest_first, strict=True):
        rows[group] = min(capacities[group], budget // groups_left)
        budget -= rows[group]
    return rows
