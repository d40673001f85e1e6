import numpy as np

from semantic_id_ranking.trainer.ranker.new_items import new_items
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from tests.trainer import ranker_cases as cases


def known(*items):
    return ImpressedItems(
        np.array([item_id for item_id, _ in items], np.bytes_),
        np.array([sid for _, sid in items], np.int32),
        np.ones(len(items), np.int64),
    )


def test_new_are_the_candidates_whose_item_id_or_semantic_id_is_not_known(tmp_path):
    examples = [
        cases.joined_example(candidate_item_id=[item_id], candidate_sid=sid)
        for item_id, sid, times in (
            (b"old", [0, 1], 4),
            (b"older", [1, 1], 1),
            (b"b", [0, 0], 2),
            (b"a", [3, 0], 2),
            # Of a known item, another Semantic ID; of a new one, that of a known item.
            (b"old", [2, 2], 1),
            (b"twin", [0, 1], 3),
            (b"without", [-1, -1], 5),
        )
        for _ in range(times)
    ]
    files = cases.write_examples(str(tmp_path / "day.gz"), examples)
    items = [known((b"old", [0, 1])), known((b"older", [1, 1]), (b"gone", [3, 3]))]
    found = new_items([files], cases.SPACE, items)
    assert found.item_ids.tolist() == [b"twin", b"a", b"b", b"old"]
    assert found.sids.tolist() == [[0, 1], [3, 0], [0, 0], [2, 2]]
    assert found.impressions.tolist() == [3, 2, 2, 1]
    assert new_items([files], cases.SPACE, [*items, found]) is None
