"""The duel of a live session over HTTP."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from ....models.errors import SepcamError
from ....pipelines.duel.card import Card
from ....pipelines.live.duel_images import DUEL_S
from ....pipelines.live.session import LiveSession

ENDED: Final = "the video has ended"


class Begin(BaseModel):
    """A duel to begin."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(DUEL_S, ge=1, le=600, description="How long to measure.")


def router(session: Callable[[], LiveSession], changed: Callable[[], None]) -> APIRouter:
    """The routes.

    Args:
        session: returns the session.
        changed: called when the status has changed.
    """
    routes = APIRouter()

    @routes.post("/live/duel", summary="Begin a duel: both backbones on the same frames, in turn")
    def begin(asked: Begin | None = None) -> dict[str, Any]:
        if session().ended:
            raise HTTPException(409, ENDED)
        session().pause(False)
        session().duel.begin((asked or Begin(seconds=DUEL_S)).seconds)
        changed()
        return session().duel.status().to_json()

    @routes.delete("/live/duel", summary="End the duel and show the video as usual")
    def end() -> dict[str, Any]:
        session().duel.end()
        changed()
        return session().duel.status().to_json()

    @routes.get("/live/duel/card.png", summary="The card of the duel as an image", response_class=Response)
    def image() -> Response:
        return _file(_card(session()).png(), "image/png", "png")

    @routes.get("/live/duel/card.json", summary="The figures of the duel", response_class=Response)
    def figures() -> Response:
        return _file(_card(session()).json().encode(), "application/json", "json")

    return routes


def _card(session: LiveSession) -> Card:
    try:
        return session.duel.card()
    except SepcamError as error:
        raise HTTPException(404, str(error)) from error


def _file(data: bytes, media_type: str, suffix: str) -> Response:
    name = f"sepcam-duel-{datetime.now():%Y%m%d-%H%M%S}.{suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=media_type, headers=headers)
