"""The versions of the encoder that have to be served beside a ranker.

A model server serves the two newest versions of `semantic_id`, and a client calls the one of its
ranker's SID space. So that none is missing while the server loads the next ranker, the encoder of
the ranker that is served and that of the next one have to be these two.
"""

from semantic_id_ranking.components.releaser.version_folder import VersionFolder


def encoder_of(encoders: VersionFolder, space: str | None) -> int | None:
    """The newest version of an encoder in a SID space; None where there is none.

    Args:
        encoders: Versions of the encoder.
        space: Fingerprint of the space; None of a ranker that names none.
    """
    if space is None:
        return None
    return max((v for v in encoders.versions() if encoders.fingerprint(v) == space), default=None)


def superfluous_encoders(
    encoders: VersionFolder, served: int | None, wanted: int | None
) -> list[int]:
    """Versions to set aside, so that the served and the wanted one are among the two newest.

    >>> folder = VersionFolder("serving/semantic_id")  # 11, 12 and 13, say
    >>> superfluous_encoders(folder, served=13, wanted=11)  # doctest: +SKIP
    [12]

    Args:
        encoders: Versions of the encoder.
        served: The one of the ranker that is served; None: none is.
        wanted: The one of the next ranker; None: a version that is to come as the newest.

    Returns:
        Versions, oldest first.
    """
    versions = encoders.versions()
    needed = {version for version in (served, wanted) if version is not None}
    # A version that is to come takes one of the two.
    if needed <= set(versions[-1 if wanted is None else -2 :]):
        return []
    return [version for version in versions if version > min(needed) and version not in needed]
