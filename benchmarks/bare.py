"""The same training as an ordinary torch script: what `overhead.py` compares `kedro run` with."""

import time

STARTED = time.perf_counter()  # before torch is imported: what a user waits for

import gzip  # noqa: E402
import sys  # noqa: E402
from itertools import chain, islice, repeat  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

VALIDATION_IMAGES, ITERATIONS, BATCH_SIZE, LOG_EVERY = 5000, 799, 128, 10


def read(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Images float32 (N, 28, 28) in [0, 1] and labels int64 (N,), from IDX files with headers of 16 and 8 bytes."""
    images = gzip.decompress((folder / f"{split}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{split}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    return torch.from_numpy(pixels.astype(np.float32) / 255), torch.from_numpy(
        np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)
    )


class Classifier(nn.Module):
    """An LSTM of 128 units over the rows, and a readout of its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(28, 128, batch_first=True)
        self.readout = nn.Linear(128, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, 10) for images (N, 28, 28)."""
        return self.readout(self.lstm(images)[0][:, -1])  # type: ignore[no-any-return]


def main(folder: Path) -> None:
    """Trains, and prints the test accuracy and the seconds until the first update was done."""
    torch.set_num_threads(2)
    torch.manual_seed(1)
    images, labels = read(folder, "train")
    train = TensorDataset(images[VALIDATION_IMAGES:], labels[VALIDATION_IMAGES:])
    loader = DataLoader(train, BATCH_SIZE, shuffle=True, drop_last=True)
    classifier = Classifier()
    optimizer = torch.optim.Adam(classifier.parameters(), lr=0.001)
    first = 0.0
    batches = islice(chain.from_iterable(repeat(loader)), ITERATIONS)
    for iteration, (inputs, targets) in enumerate(batches, 1):
        logits = classifier(inputs)
        loss = nn.functional.cross_entropy(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        first = first or time.perf_counter() - STARTED
        if iteration % LOG_EVERY == 0:
            accuracy = (logits.argmax(1) == targets).float().mean()
            seconds = time.perf_counter() - STARTED
            print(f"update {iteration} loss {loss.item():.4f} accuracy {accuracy.item():.4f} after {seconds:.3f} s")

    classifier.eval()
    with torch.inference_mode():
        test = DataLoader(TensorDataset(*read(folder, "t10k")), batch_size=1000)
        right = sum(int((classifier(inputs).argmax(1) == targets).sum()) for inputs, targets in test)
    print(f"test accuracy {right / len(test.dataset):.4f}")  # type: ignore[arg-type]
    print(f"first update after {first:.3f} s, all after {time.perf_counter() - STARTED:.3f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
