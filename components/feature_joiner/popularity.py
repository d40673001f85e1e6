"""Head, torso and tail."""

import numpy as np


def popularity_slices(counts: np.ndarray, head_share: float, torso_share: float) -> np.ndarray:
    """Names each item's slice by its training impressions.

    An item is in the head if all items more popular than it make up less than `head_share` of the
    impressions, in the torso if they make up less than `head_share + torso_share`, else in the
    tail. So items of one count are in one slice, and items without an impression are in the tail.

    Args:
        counts: [N] int, training impressions of each item.
        head_share: Share of the impressions, 0..1.
        torso_share: A further share.

    Returns:
        [N] object: b"head", b"torso" or b"tail".
    """
    values, inverse, items = np.unique(counts, return_inverse=True, return_counts=True)
    impressions = values * items
    more_popular = impressions[::-1].cumsum()[::-1] - impressions
    share = more_popular / max(impressions.sum(), 1)
    names = np.full(len(values), b"tail", object)
    names[share < head_share + torso_share] = b"torso"
    names[share < head_share] = b"head"
    names[values == 0] = b"tail"
    return names[inverse.reshape(-1)]
