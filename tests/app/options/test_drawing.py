"""What is typed about drawing, and what it means."""

import pytest
from sepcam.app.options.drawing import DrawArguments, PageDrawArguments
from sepcam.models.errors import SepcamError
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.batch.state.settings import JobSettings, differences
from sepcam.pipelines.drawing.options import LAYERS, DrawOptions


def test_everything_but_trails_is_drawn_by_default():
    assert DrawArguments().options() == DrawOptions()
    assert set(LAYERS) - set(DrawOptions().layers) == {"trails"}
    assert (DrawArguments().options().hud_detail, PageDrawArguments().options().hud_detail) == ("fps", "off")


def test_layers_are_named_in_any_order_and_none_is_none():
    assert DrawArguments(draw=" masks, boxes").options().layers == ("boxes", "masks")
    assert DrawArguments(draw="none").options().layers == ()
    assert DrawArguments(draw="boxes", hud="full").options().hud_detail == "off"  # not among the layers
    with pytest.raises(SepcamError, match="--draw knows no 'box', did you mean 'boxes'"):
        DrawArguments(draw="box").options()
    with pytest.raises(SepcamError, match="--draw is empty"):
        DrawArguments(draw=",").options()


def test_a_job_notes_how_it_draws():
    settings = JobSettings(AnalysisOptions(), DrawOptions(("masks",), "class", 0.5, "full", 2.0))
    noted = settings.to_json()
    assert JobSettings.from_json(noted) == settings
    older = {name: value for name, value in noted.items() if name not in DrawOptions().to_json()}
    assert JobSettings.from_json(older).drawing == DrawOptions()
    assert "draw masks -> boxes" in differences(
        settings, JobSettings(AnalysisOptions(), DrawOptions(("boxes",)))
    )
