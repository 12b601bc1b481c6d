"""PyTorch Lightning, with what it does that is not training turned off."""

import logging
import warnings
from typing import Any

import lightning
import torch
from race import LEARNING_RATE, LOG_EVERY, Race
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch_script import Classifier, dataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class Module(lightning.LightningModule):
    """The classifier with its loss and optimiser."""

    def __init__(self, race: Race):
        super().__init__()
        self.race, self.classifier, self.right = race, Classifier(race.features, race.hidden), 0

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """The loss of a batch."""
        return nn.functional.cross_entropy(self.classifier(batch[0]), batch[1])

    def on_train_batch_end(self, outputs: Any, batch: Any, number: int) -> None:
        """Reads every tenth loss."""
        if self.global_step % LOG_EVERY == 0:
            self.race.read_loss(self.global_step, outputs["loss"].item())

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Counts what is right."""
        self.right += int((self.classifier(batch[0]).argmax(1) == batch[1]).sum())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


def main(race: Race) -> None:
    """Trains and validates."""
    torch.set_num_threads(2)
    lightning.seed_everything(1, verbose=False)
    train, valid = (dataset(*split) for split in race.images())
    module = Module(race)
    trainer = lightning.Trainer(
        max_steps=race.updates,
        max_epochs=-1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )
    trainer.fit(module, DataLoader(train, race.batch, shuffle=True, drop_last=True))
    judge = lightning.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    judge.validate(module, DataLoader(valid, 1000), verbose=False)
    race.finish(module.right / len(valid))


if __name__ == "__main__":
    main(Race())
