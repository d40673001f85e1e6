"""Slices of the evaluated impressions."""

#: Slice -> feature and value of the joined examples; None is all of them.
SLICE_FEATURES: dict[str, tuple[str, str] | None] = {
    "all": None,
    "new": ("slice_age", "new"),
    "unseen": ("slice_seen", "unseen"),
    "head": ("slice_popularity", "head"),
    "torso": ("slice_popularity", "torso"),
    "tail": ("slice_popularity", "tail"),
}
#: The slice that is no selection of items.
ALL = "all"
