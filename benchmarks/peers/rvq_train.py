"""Training steps of an autoencoder about vector-quantize-pytorch's ResidualVQ.

Runs in the peers' environment. Linear encoder and decoder, ResidualVQ as its documentation shows it
(codebooks by exponential moving average, no k-means start), Adam. Arguments: a folder with
`items.npy` float32 [N, D] and `codebooks.npy` float32 [L, K, d], which the codebooks start from;
the number of threads; items in a batch; steps in a round.
"""

import os
import sys
from importlib.metadata import version

import numpy as np
import torch
from rounds import serve_rounds
from vector_quantize_pytorch import ResidualVQ


def main(folder: str, threads: int, batch_size: int, steps: int) -> None:
    """Trains some steps a round."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    items, codebooks = (
        torch.from_numpy(np.load(os.path.join(folder, f"{name}.npy")))
        for name in ("items", "codebooks")
    )
    levels, codes, width = codebooks.shape
    encoder = torch.nn.Linear(items.shape[1], width)
    decoder = torch.nn.Linear(width, items.shape[1])
    quantizer = ResidualVQ(dim=width, codebook_size=codes, num_quantizers=levels)
    for layer, codebook in zip(quantizer.layers, codebooks, strict=True):
        layer._codebook.embed.data.copy_(codebook[None])
    model = torch.nn.ModuleList([encoder, quantizer, decoder]).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def train() -> None:
        for _ in range(steps):
            batch = items[torch.randint(len(items), (batch_size,))]
            quantized, _, commitment = quantizer(encoder(batch))
            loss = torch.nn.functional.mse_loss(decoder(quantized), batch) + commitment.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    serve_rounds(train, {"version": version("vector-quantize-pytorch")})


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
