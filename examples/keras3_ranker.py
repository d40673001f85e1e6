"""A Keras 3 ranker over the rows of Semantic IDs, which scores items that training never saw.

    python -m examples.keras3_ranker

prints an AUC of about 0.8 on new items; hashed IDs would have 0.5 there. The labels are drawn with
probabilities of 0.9 and 0.1: no ranker can do much better than that.
"""

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from examples import synthetic_catalogue as catalogue
from semantic_id_ranking import SemanticIds
from semantic_id_ranking import SidTokenizer


class RowSum(keras.layers.Layer):
    """Items' vectors float32 [..., dim]: sums of table rows int32 [..., R], of which -1 is none."""

    def __init__(self, table_rows: int, dim: int):
        super().__init__()
        self.table = keras.layers.Embedding(table_rows, dim)

    def call(self, rows):
        """Adds up the rows."""
        present = keras.ops.cast(rows >= 0, "float32")[..., None]
        return keras.ops.sum(self.table(keras.ops.maximum(rows, 0)) * present, axis=-2)


def create_ranker(tokenizer: SidTokenizer, dim: int = 16) -> keras.Model:
    """Scores a candidate by its vector, that of the history, and their product."""
    levels = tokenizer.space.levels
    candidate = keras.Input([levels], dtype="int32", name="candidate")
    history = keras.Input([None, levels], dtype="int32", name="history")
    item = RowSum(tokenizer.table_rows, dim)
    vector, past = item(candidate), keras.ops.mean(item(history), axis=1)
    features = keras.layers.Concatenate()([vector, past, vector * past])
    hidden = keras.layers.Dense(32, "relu")(features)
    return keras.Model([candidate, history], keras.layers.Dense(1, "sigmoid")(hidden))


def main() -> float:
    """Trains on the known items and returns the AUC on the new ones."""
    keras.utils.set_random_seed(0)
    embeddings = catalogue.embeddings()
    train = catalogue.impressions(range(catalogue.FIRST_NEW), 20_000, seed=1)
    new = catalogue.impressions(range(catalogue.FIRST_NEW, catalogue.ITEMS), 5_000, seed=2)

    semantic_ids = SemanticIds.fit(
        embeddings[: catalogue.FIRST_NEW], levels=3, codebook_size=32, epochs=4
    )
    sids = semantic_ids.encode(embeddings)
    counts = np.bincount(train.candidate, minlength=catalogue.ITEMS)
    tokenizer = SidTokenizer.fit(sids, counts, semantic_ids, rows=512)
    rows = tokenizer.rows(sids)

    ranker = create_ranker(tokenizer)
    ranker.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    ranker.fit([rows[train.candidate], rows[train.history]], train.label, 256, epochs=3, verbose=0)
    scores = ranker.predict([rows[new.candidate], rows[new.history]], batch_size=1024, verbose=0)
    return float(roc_auc_score(new.label, scores[:, 0]))


if __name__ == "__main__":
    print(f"AUC on new items: {main():.3f}")
