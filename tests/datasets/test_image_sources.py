import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from kedro.io import AbstractDataset, DatasetError

from mnist_lstm.core.data.splits import Splits
from mnist_lstm.datasets.image_sources import FILES, ImageSourcesDataset
from mnist_lstm.errors import UnreachableError, UserError
from tests.datasets.bits import refusal
from tests.support import idx
from tests.support.projects import REPOSITORY, data_parameters
from tests.support.sources import sha256, source

VALIDATION = 3


@pytest.fixture
def arrays() -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {
        "train_images": random.integers(0, 256, (10, 4, 5), np.uint8),
        "train_labels": np.arange(10, dtype=np.uint8) % 3,
        "test_images": random.integers(0, 256, (6, 4, 5), np.uint8),
        "test_labels": random.integers(0, 3, 6, np.uint8),
    }


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


@pytest.fixture
def entry(mirror: Path, arrays: dict[str, Any]) -> dict[str, Any]:
    """The source as a catalog describes it."""
    return source(mirror, arrays, class_names=["circle", "square", "star"], validation_images=VALIDATION)


def shapes(tmp_path: Path, entry: dict[str, Any], **given: Any) -> Splits:
    """What the source gives that the entry describes."""
    data = data_parameters(name="shapes", **given)
    return ImageSourcesDataset(path=str(tmp_path / "data"), idx={"shapes": entry}).load()(data)(data)


def test_a_source_gives_the_images_of_its_files_in_three_splits(
    tmp_path: Path, entry: dict[str, Any], arrays: dict[str, Any]
) -> None:
    splits = shapes(tmp_path, entry)
    for kind in ("images", "labels"):
        np.testing.assert_array_equal(splits.valid.arrays()[kind], arrays[f"train_{kind}"][:VALIDATION])
        np.testing.assert_array_equal(splits.train.arrays()[kind], arrays[f"train_{kind}"][VALIDATION:])
        np.testing.assert_array_equal(splits.test.arrays()[kind], arrays[f"test_{kind}"])


def test_a_sources_card_says_which_data_it_is_and_the_digest_of_each_file_in_the_sources_own_folder(
    tmp_path: Path, entry: dict[str, Any], mirror: Path
) -> None:
    card = shapes(tmp_path, entry).card
    assert (card.name, card.title, card.class_names) == ("shapes", entry["title"], entry["class_names"])
    assert card.images == {"train": 7, "valid": 3, "test": 6}
    assert card.files == {name: sha256(mirror / name) for name in FILES.values()}
    assert {path.name for path in (tmp_path / "data" / "shapes").glob("*.gz")} == set(FILES.values())


def test_the_users_mirror_is_asked_first_then_the_sources_own_and_where_none_has_it_it_is_unreachable(
    tmp_path: Path, entry: dict[str, Any], mirror: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = (tmp_path / "nowhere").as_uri()
    others = entry | {"mirrors": [nowhere]}
    with pytest.raises(UnreachableError, match=rf"{FILES['train_images']}.*{tmp_path / 'data' / 'shapes'}"):
        shapes(tmp_path, others)
    caplog.clear()
    assert shapes(tmp_path, others, mirror=mirror.as_uri()).card.name == "shapes"
    assert "nowhere" not in caplog.text
    shutil.rmtree(tmp_path / "data")
    assert shapes(tmp_path, entry, mirror=nowhere).card.name == "shapes"


def test_files_may_have_names_of_their_own(tmp_path: Path, entry: dict[str, Any], mirror: Path) -> None:
    (mirror / FILES["test_labels"]).rename(mirror / "labels.gz")
    entry["files"]["test_labels"]["name"] = "labels.gz"
    assert "labels.gz" in shapes(tmp_path, entry).card.files


@pytest.mark.parametrize(
    ("key", "array", "named"),
    [
        ("test_labels", np.full(6, 3, np.uint8), "labels from 0 to 2, found 3"),
        ("test_labels", np.zeros(5, np.uint8), "found 6 images and 5 labels"),
        ("train_images", np.zeros((0, 4, 5), np.uint8), "found 0 images and 10 labels"),
        ("train_images", np.zeros((10, 0, 5), np.uint8), r"images in each part, found train of the shape \(10, 0, 5\)"),
        ("test_images", np.arange(150, dtype=np.uint8).reshape(6, 5, 5), r"\(4, 5\).*\(5, 5\)"),
    ],
    ids=["unknown label", "label missing", "no images", "no pixels", "another size"],
)
def test_files_that_do_not_fit_each_other_are_told(
    tmp_path: Path, entry: dict[str, Any], mirror: Path, key: str, array: Any, named: str
) -> None:
    (mirror / FILES[key]).write_bytes(idx.encode(array))
    entry["files"][key]["checksum"] = f"sha256:{sha256(mirror / FILES[key])}"
    with pytest.raises(UserError, match=named):
        shapes(tmp_path, entry)


def test_an_unknown_source_is_told_with_the_nearest_known_one_and_nothing_is_fetched_or_written_yet(
    tmp_path: Path, entry: dict[str, Any]
) -> None:
    dataset: Any = ImageSourcesDataset(path=str(tmp_path / "data"), idx={"shapes": entry})
    with pytest.raises(UserError, match=r"must be digits or shapes, not 'shape' \(did you mean 'shapes'\?\)"):
        dataset.load()(data_parameters(name="shape"))
    assert callable(dataset.load()(data_parameters(name="shapes")))
    assert not (tmp_path / "data").exists()
    with pytest.raises(DatasetError, match="read, never written"):
        dataset.save({})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"titel": "Shapes"}, "shapes.titel"),
        ({"title": None}, "shapes.title"),
        ({"validation_images": 0}, "shapes.validation_images"),
        ({"validation_images": "many"}, "shapes.validation_images"),
        ({"mirrors": "https://x"}, "shapes.mirrors"),
        ({"class_names": [1, 2]}, "shapes.class_names.0"),
        ({"files": {"train_images": {}}}, "shapes.files.train_images.checksum"),
        ({"files": {"train_images": {"checksum": f"sha256:{0:064}", "size": 1}}}, "shapes.files.train_images.size"),
        ({"files": {"train_image": {"name": "a", "checksum": "sha256:0"}}}, "shapes.files.train_image"),
        ({"files": {"train_images": {"checksum": "0"}}}, "shapes.files.train_images.checksum"),
        ({"files": {"train_images": {"checksum": "sha257:0"}}}, "shapes.files.train_images.checksum"),
        ({"files": {"train_images": "sha256:0"}}, "shapes.files.train_images"),
        ({"files": None}, "shapes.files"),
    ],
    ids=repr,
)
def test_a_wrong_catalog_entry_is_told_in_one_line_that_names_the_key(
    tmp_path: Path, entry: dict[str, Any], change: dict[str, Any], named: str
) -> None:
    if isinstance(change.get("files"), dict):
        change = {"files": entry["files"] | change["files"]}
    config: dict[str, Any] = {"type": "mnist_lstm.datasets.image_sources.ImageSourcesDataset", "path": str(tmp_path)}
    config["idx"] = {"shapes": entry | change}
    message = refusal(lambda: AbstractDataset.from_config("image_sources", config))
    assert message.startswith(f"source {named!r} in conf/base/catalog.yml")


def test_the_digits_are_always_among_the_sources_without_a_mirror_and_leave_no_file(tmp_path: Path) -> None:
    known, data = ImageSourcesDataset(path=str(tmp_path), idx={}), data_parameters(name="digits")
    assert list(known.sources) == ["digits"]
    splits = known.load()(data)(data)
    assert splits.card.title == "bundled 8x8 digits (not MNIST)"
    assert splits.card.files == {}
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def catalog_entry() -> dict[str, Any]:
    catalog: dict[str, Any] = yaml.safe_load((REPOSITORY / "conf/base/catalog.yml").read_text())
    return {key: value for key, value in catalog["image_sources"].items() if key in ("path", "idx", "archives")}


def test_the_catalog_offers_mnist_and_those_made_after_it(catalog_entry: dict[str, Any]) -> None:
    emnist = {f"emnist_{subset}" for subset in ("balanced", "digits", "letters")}
    named = {"digits", "fashion_mnist", "k49", "kmnist", "mnist", "qmnist"}
    assert set(ImageSourcesDataset(**catalog_entry).sources) == named | emnist


# MD5 of train_images, train_labels, test_images, test_labels:
# https://github.com/pytorch/vision/blob/main/torchvision/datasets/mnist.py
PUBLISHED = {
    "fashion_mnist": "8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe "
    "bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310",
    "qmnist": "ed72d4157d28c017586c42bc6afe6370 0058f8dd561b90ffdd0f734c6a30e5e4 "
    "1394631089c404de565df7b7aeaf9412 5b5b05890a5e13444e108efe57b788aa",
    "kmnist": "bdb82020997e1d708af4cf47b453dcf7 e144d726b3acfaa3e44228e80efcd344 "
    "5c965bf0a639b31b8f53240b1b52f4d7 7320c461ea6c1c855c0b718fb2a4b134",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_source_has_the_checksums_that_torchvision_lists(catalog_entry: dict[str, Any], name: str) -> None:
    files = catalog_entry["idx"][name]["files"]
    assert [files[key]["checksum"] for key in FILES] == [f"md5:{md5}" for md5 in PUBLISHED[name].split()]
    emnist = {entry["archive"]["checksum"] for entry in catalog_entry["archives"].values()}
    assert emnist == {"md5:58c8d27c78d21e728a6bc7b3cc06412e"}


# https://github.com/zalandoresearch/fashion-mnist#labels and http://codh.rois.ac.jp/kmnist/
NAMES = {
    "fashion_mnist": "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle_boot",
    "kmnist": "o ki su tsu na ha ma ya re wo",
    "mnist": "0 1 2 3 4 5 6 7 8 9",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_has_the_class_names(catalog_entry: dict[str, Any], name: str) -> None:
    assert catalog_entry["idx"][name]["class_names"] == [word.replace("_", " ") for word in NAMES[name].split()]
