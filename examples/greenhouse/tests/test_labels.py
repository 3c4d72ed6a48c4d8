import pytest

from greenhouse import labels, plants


def test_a_label_names_the_plant():
    basil = next(plant for plant in plants.all_plants() if plant.slug == "basil")
    text = labels.html(basil)
    assert "Ocimum basilicum" in text
    assert "data:image/svg+xml;base64," in text
    assert "data:image/png;base64," in text


def test_icons_are_names_not_paths():
    with pytest.raises(KeyError):
        labels.icon("../catalogue")
