"""The gallery of the documentation: every picture, its command and its page."""

import pathlib
import re

import numpy as np
import PIL.Image
import pytest

from scripts.report.gallery import experiment_of, write_gallery

ROOT = pathlib.Path(__file__).resolve().parents[3]


def test_pictures_find_their_experiments():
    drawn_by = {"rich_fig7": "rich_fig7", "rich_fig9a": "rich_fig7", "laperm_fig5": "laperm_fig5"}
    assert experiment_of("rich_fig9a", drawn_by) == ("rich_fig7", "")
    assert experiment_of("laperm_fig5_paper", drawn_by) == ("laperm_fig5", "_paper")
    with pytest.raises(ValueError, match=r"Received: laperm_fig55\.png"):
        experiment_of("laperm_fig55", drawn_by)


def test_every_picture_is_there_with_its_command(tmp_path):
    for name in ("results", "weight_profiles"):
        (tmp_path / name).mkdir()
        for path in (ROOT / name).glob("*.png"):
            PIL.Image.fromarray(np.zeros((2, 1000, 3), np.uint8)).save(tmp_path / name / path.name)
        for path in (ROOT / name).glob("*.md"):
            (tmp_path / name / path.name).write_text(path.read_text())
    text = write_gallery(tmp_path, tmp_path / "_gallery").read_text()
    shown = re.findall(r"figure} (_gallery/.*)", text)
    assert len(shown) == len(set(shown)) == len([*ROOT.glob("results/*.png"), *ROOT.glob("weight_profiles/*.png")])
    for small in shown:
        with PIL.Image.open(tmp_path / small) as image:
            assert image.width == 440
    pages = set(re.findall(r"\]\(path:\.\./(.*?)\)", text))
    assert pages
    assert all((ROOT / page).is_file() for page in pages)
    assert "[rich_fig9a](path:../results/rich_fig7.md): `python -m scripts figure rich_fig7`" in text
    assert "[training](path:../weight_profiles/README.md): `python -m scripts weight_profiles --train`" in text
    second = "`python -m scripts figure laperm_fig5 --size paper --suffix _paper`"
    assert f"[laperm_fig5_paper](path:../results/laperm_fig5_paper.md): {second}" in text
    results = [line for line in text.splitlines() if "](path:../results/" in line]
    assert all("`python -m scripts figure " in line for line in results), results
