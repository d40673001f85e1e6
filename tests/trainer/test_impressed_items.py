import numpy as np
import pytest

from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems


@pytest.mark.parametrize("ids", [["a", "bb", "ö"], [b"a", b"bb", "ö".encode()]])
def test_items_with_impressions_come_back_from_disk(tmp_path, ids):
    sids = np.array([[1, 2], [3, 4], [5, 6]])
    ImpressedItems.select(np.array(ids, object), sids, np.array([7, 0, 9])).save(str(tmp_path))
    items = ImpressedItems.load(str(tmp_path))
    assert items.item_ids.tolist() == [b"a", "ö".encode()]
    assert items.sids.tolist() == [[1, 2], [5, 6]]
    assert items.impressions.tolist() == [7, 9]
    assert (items.sids.dtype, items.impressions.dtype) == (np.int32, np.int64)
