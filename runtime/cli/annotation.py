"""`sojourn annotation`: what an annotation does with the row of its rule."""

from __future__ import annotations

from functools import cache

import click

from epl.registry.annotations import ANNOTATIONS, AnnotationEntry, Parameter
from runtime.cli.added import PROFILE_HELP, added_by
from runtime.cli.options import format_option
from runtime.cli.pages import Example, Page, Prose, Rows, completing, consult
from runtime.reference import default_text, places_text

_EPILOG = """\b
Examples:
  sojourn annotation                      all of them
  sojourn annotation UpdateCounter        one, with its parameters and an example
  sojourn annotation --search metadata
  sojourn annotation --profile my-tenant Score    one that its imports add

\b
Exit codes: 0 found, 1 nothing speaks of TEXT, 2 there is no such annotation."""

_STYLE = "bold magenta"


@cache
def annotation_pages() -> tuple[Page, ...]:
    """A page for each annotation."""
    return tuple(map(_page, ANNOTATIONS))


def _page(entry: AnnotationEntry) -> Page:
    markers = "" if entry.on_markers else " Not on markers."
    parts: list[Prose | Example | Rows] = [
        Prose(entry.summary),
        Prose(f"{places_text(entry)}.{markers}", "where"),
        Example("Example", entry.example),
    ]
    if entry.parameters:
        rows = [(each.name, str(each.type), _default(each), each.summary) for each in entry.parameters]
        parts.append(Rows(("parameter", "type", "default", "meaning"), tuple(rows)))
    if entry.columns:
        columns = [
            (each.name, str(each.type), "yes" if each.required else "no", each.summary) for each in entry.columns
        ]
        parts.append(Rows(("column", "type", "needed", "meaning"), tuple(columns)))
    return Page(
        name=f"@{entry.name}",
        style=_STYLE,
        title="",
        usage=f"@{entry.name}",
        summary=entry.summary,
        parts=tuple(parts),
        data={
            "name": entry.name,
            "summary": entry.summary,
            "stages": sorted(stage.value for stage in entry.stages),
            "on_markers": entry.on_markers,
            "example": entry.example,
            "parameters": [
                {
                    "name": each.name,
                    "type": str(each.type),
                    "required": each.required,
                    "default": each.default,
                    "summary": each.summary,
                }
                for each in entry.parameters
            ],
            "columns": [
                {"name": each.name, "type": str(each.type), "required": each.required, "summary": each.summary}
                for each in entry.columns
            ],
        },
        others=(entry.name,),
    )


def _default(parameter: Parameter) -> str:
    text = default_text(parameter)
    return "must be given" if text is None else text or "–"


@click.command("annotation", epilog=_EPILOG, short_help="Say what an annotation does.")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=completing(annotation_pages))
@click.option("--profile", metavar="PROFILE", help=PROFILE_HELP)
@click.option("--search", metavar="TEXT", help="Only what speaks of TEXT, in any case.")
@format_option
def annotation_command(names: tuple[str, ...], profile: str | None, search: str | None, format_: str) -> None:
    """Say what each annotation NAME does, with its parameters and the columns that it reads.

    NAME goes with or without the @. Without a NAME all are listed.
    """
    own = (entry for extension in added_by(profile) for entry in extension.annotations)
    consult((*map(_page, own), *annotation_pages()), names, search, format_, "annotation")
