"""The impressions that a day was done with, when it is joined again."""

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import digest_of
from semantic_id_ranking.pipeline.destinations import Destinations


def impressions_digest(impressions: DataSet, output: str) -> str:
    """The digest of impressions that tells a day from another try of it.

    Args:
        impressions: The files.
        output: The output folder, which remembers the digests of files.
    """
    return digest_of(Fingerprints(Destinations.under(output).fingerprints).record(impressions))


def require_same_files(day: DayRecord, output: str, purpose: str) -> None:
    """Refuses to join a day again whose files are not those that it was done with.

    Args:
        day: Its record.
        output: The output folder.
        purpose: Why it is joined again, for the message.

    Raises:
        InputError: They are gone, or have other content.
    """
    back = f"which {purpose}; put its impressions back there, or give others with `sid day --redo`"
    try:
        impressions = DataSet.open(day.impressions)
    except InputError as error:
        raise InputError(f"{error} It was read for day {day.name}, {back}") from None
    if impressions_digest(impressions, output) != day.digest:
        raise InputError(f"{impressions.name}: is not what day {day.name} was done with, {back}")
