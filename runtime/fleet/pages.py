"""The pages of a fleet: those of a service, drawn from what all workers say, and one of the workers themselves."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import ChoiceLoader, PackageLoader
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from runtime.service.api import Phase
from runtime.service.looks import Looks
from runtime.service.pages import Pages, worker_path


class FleetPages(Pages):
    """The pages of a fleet."""

    def __init__(self, looks: Looks, phase: Callable[[], Phase]) -> None:
        super().__init__(looks, phase)
        self.templates.loader = ChoiceLoader([PackageLoader("runtime.fleet"), PackageLoader("runtime.service")])
        self.templates.globals |= {"has_workers": True, "worker_path": worker_path}

    def routes(self) -> list[Route | Mount]:
        """All pages, and the files that they need."""
        return [Route("/workers", self._all), Route("/workers/{number:int}", _to_one), *super().routes()]

    async def _all(self, request: Request) -> Response:
        workers = (await self.looks.workers())["workers"]
        return self.render("workers.html", title="Workers", tab="workers", workers=workers)


async def _to_one(request: Request) -> Response:
    return RedirectResponse(f"{worker_path(request.path_params['number'])}/")
