"""An ordinary PyTorch script: TensorDataset, DataLoader, nn.LSTM."""

import itertools

import torch
from race import CLASSES, LEARNING_RATE, LOG_EVERY, Images, Labels, Race, scaled
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(nn.Module):
    """An LSTM over the steps, and a readout of its last output."""

    def __init__(self, features: int, hidden: int):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, CLASSES)

    def forward(self, sequences: Tensor) -> Tensor:
        """Logits (N, K) for sequences (N, T, F)."""
        return self.readout(self.lstm(sequences)[0][:, -1])  # type: ignore[no-any-return]


def dataset(images: Images, labels: Labels) -> TensorDataset:
    """Both as tensors."""
    return TensorDataset(torch.from_numpy(scaled(images)), torch.from_numpy(labels.astype("int64")))


def main(race: Race) -> None:
    """Trains and validates."""
    torch.set_num_threads(2)
    torch.manual_seed(1)
    train, valid = (dataset(*split) for split in race.images())
    loader = DataLoader(train, race.batch, shuffle=True, drop_last=True)
    classifier = Classifier(race.features, race.hidden)
    optimizer = torch.optim.Adam(classifier.parameters(), lr=LEARNING_RATE)
    endless = itertools.chain.from_iterable(itertools.repeat(loader))
    for update, (inputs, targets) in enumerate(itertools.islice(endless, race.updates), 1):
        with torch.autocast("cpu", torch.bfloat16, enabled=race.precision == "bfloat16"):
            loss = nn.functional.cross_entropy(classifier(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % LOG_EVERY == 0:
            race.read_loss(update, loss.item())
    classifier.eval()
    with torch.inference_mode():
        right = sum((classifier(inputs).argmax(1) == targets).sum() for inputs, targets in DataLoader(valid, 1000))
    race.finish(right / len(valid))


if __name__ == "__main__":
    main(Race())
