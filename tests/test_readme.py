"""The README leads nowhere that does not exist."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
TEXT = (PROJECT / "README.md").read_text()
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
HEADINGS = re.findall(r"^#+ (.+)$", PROSE, re.MULTILINE)
LINKS = [link for link in re.findall(r"\]\(([^)]+)\)", PROSE) if not link.startswith("http")]
SMALL = 100_000  # bytes of a picture


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_a_link_leads_somewhere(link: str) -> None:
    if link.startswith("#"):
        assert link in {anchor(heading) for heading in HEADINGS}
    else:
        assert 0 < (PROJECT / link).stat().st_size < SMALL


def test_no_section_is_empty() -> None:
    sections = re.split(r"^## .+$", TEXT, flags=re.MULTILINE)[1:]
    assert len(sections) > 5
    assert all(section.strip() for section in sections)


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"`make (\w+)", TEXT)) | set(re.findall(r"^make (\w+)", TEXT, re.M)))
)
def test_a_target_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("preset", sorted(set(re.findall(r"--env (\w+)", TEXT)) - {"NAME"}))
def test_a_preset_is_in_conf_or_is_made_by_the_text(preset: str) -> None:
    assert (PROJECT / "conf" / preset / "parameters.yml").is_file() or f"# kedro run --env {preset}" in TEXT


@pytest.mark.parametrize("script", sorted(set(re.findall(r"python (benchmarks/\S+\.py)", TEXT))))
def test_a_benchmark_is_there(script: str) -> None:
    assert (PROJECT / script).is_file()
