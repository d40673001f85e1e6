"""A PyTorch ranker over the rows of Semantic IDs, which scores items that training never saw.

PyTorch is no dependency of this package. `make test-pytorch` installs it into `.venv-pytorch`, in
about a minute and with 2.4 GB to fetch, or 0.2 where PyTorch's own index is in reach, and runs this
in a test. Then

    .venv-pytorch/bin/python -m examples.pytorch_ranker

prints an AUC of about 0.8 on new items; hashed IDs would have 0.5 there. The labels are drawn with
probabilities of 0.9 and 0.1: no ranker can do much better than that.
"""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from examples import synthetic_catalogue as catalogue
from semantic_id_ranking import SemanticIds
from semantic_id_ranking import SidTokenizer


class Ranker(torch.nn.Module):
    """Scores a candidate by its vector, that of the history, and their product."""

    def __init__(self, tokenizer: SidTokenizer, dim: int = 16):
        super().__init__()
        # Row 0 of the table is that of -1, which counts for nothing.
        self.table = torch.nn.EmbeddingBag(tokenizer.table_rows + 1, dim, mode="sum", padding_idx=0)
        self.network = torch.nn.Sequential(
            torch.nn.Linear(3 * dim, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)
        )

    def items(self, rows: torch.Tensor) -> torch.Tensor:
        """Items' vectors float32 [..., dim] of table rows int32 [..., R]."""
        bags = self.table((rows + 1).flatten(end_dim=-2))
        return bags.unflatten(0, rows.shape[:-1])

    def forward(self, candidate: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Logits float32 [n] of rows int32 [n, R] and [n, H, R]."""
        vector, past = self.items(candidate), self.items(history).mean(dim=1)
        return self.network(torch.cat([vector, past, vector * past], dim=1))[:, 0]


def main() -> float:
    """Trains on the known items and returns the AUC on the new ones."""
    torch.manual_seed(0)
    embeddings = catalogue.embeddings()
    train = catalogue.impressions(range(catalogue.FIRST_NEW), 20_000, seed=1)
    new = catalogue.impressions(range(catalogue.FIRST_NEW, catalogue.ITEMS), 5_000, seed=2)

    semantic_ids = SemanticIds.fit(
        embeddings[: catalogue.FIRST_NEW], levels=3, codebook_size=32, epochs=4
    )
    sids = semantic_ids.encode(embeddings)
    counts = np.bincount(train.candidate, minlength=catalogue.ITEMS)
    tokenizer = SidTokenizer.fit(sids, counts, semantic_ids, rows=512)
    rows = torch.from_numpy(tokenizer.rows(sids))

    ranker = Ranker(tokenizer)
    optimizer = torch.optim.Adam(ranker.parameters(), 0.01)
    labels = torch.from_numpy(train.label)
    for _ in range(3):
        for batch in torch.randperm(len(labels)).split(256):
            logits = ranker(rows[train.candidate[batch]], rows[train.history[batch]])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        scores = ranker(rows[new.candidate], rows[new.history])
    return float(roc_auc_score(new.label, scores.numpy()))


if __name__ == "__main__":
    print(f"AUC on new items: {main():.3f}")
