"""Pages beside the list of prompts: a file brought in, after a look at what would come of it, or out."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final, cast

from asgiref.sync import sync_to_async
from django import forms
from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.core.handlers.asgi import ASGIRequest
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vectors.errors import EmbedderError

from ..exchange.exporting import export_lines, export_prompts
from ..exchange.import_files import READABLE
from ..exchange.importing import SAMPLES, ImportResult, import_file
from ..exchange.problems import ImportFileError
from ..exchange.registry import Selection
from ..exchange.uploads import MAX_UPLOAD, import_upload
from ..models import User

_SHOWN: Final = 100  # rows that were refused
_PIECE: Final = 256 * 1024
CHECK, IMPORT, BUNDLED = "check", "import", "samples"
# By the format: its name, what is in it, and the end of the file's name.
FORMATS: Final = {
    "jsonl": (_("JSON Lines"), _("everything: all versions, labels, evaluations, the trash"), ".jsonl"),
    "csv": (_("CSV"), _("a row a prompt, for spreadsheets: the newest version"), ".csv"),
    "json": (_("JSON"), _("a list of prompts: the newest version"), ".json"),
    "langfuse": (_("Langfuse’s JSON"), _("an object a version, as Langfuse keeps them"), ".json"),
}


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput({"accept": ",".join(READABLE)}),
        help_text=_(
            "CSV, JSON Lines, JSON, or what Langfuse exports; UTF-8, at most 10 MB. A row needs a title (or "
            "act) and a content (or prompt); name, folder, tags, language and status are taken, too."
        ),
    )
    strict = forms.BooleanField(
        label=_("All or nothing"),
        required=False,
        help_text=_("Nothing is imported if a single row is refused. Else the others are."),
    )


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[(name, title) for name, (title, _what, _end) in FORMATS.items()],
        help_text=_(
            "JSON Lines can be imported again without loss; the others keep what they have a place for."
        ),
    )
    folder = forms.CharField(
        label=_("Folder"),
        max_length=255,
        required=False,
        help_text=_("Only prompts in it or below it, such as writing. Empty: all."),
    )
    tag = forms.CharField(
        label=_("Tag"), max_length=255, required=False, help_text=_("Only prompts with this tag. Empty: all.")
    )
    label = forms.CharField(
        label=_("Label"),
        max_length=36,
        required=False,
        help_text=_("Only prompts with this label, such as production. Empty: all."),
    )
    latest = forms.BooleanField(
        label=_("One version of each"),
        required=False,
        help_text=_("The newest, or the one that the label serves. CSV and JSON never have more."),
    )


def show_import(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The form; of a POST what came of it, or with `act=check` what would come of it."""
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": gettext("Import prompts"),
        "form": ImportForm(),
        "offers_samples": settings.ENVIRONMENT == "development",
        "max_upload": MAX_UPLOAD,
    }
    if request.method == "POST":
        context |= _import(request)
    is_refused = context.get("problem") or context["form"].errors
    # In place, htmx shows what was refused as well; to a browser 400 is an error of the page.
    status = 400 if is_refused and not request.headers.get("HX-Request") else 200
    return TemplateResponse(request, "admin/prompts/prompt/import.html", context, status=status)


def _import(request: HttpRequest) -> dict[str, Any]:
    act, user = request.POST.get("act"), cast(User, request.user)
    form = ImportForm(request.POST, request.FILES)
    try:
        if act == BUNDLED and settings.ENVIRONMENT == "development":
            return _done(import_file(SAMPLES, user, source="samples"), is_written=True)
        if not form.is_valid():
            return {"form": form}
        given = form.cleaned_data
        # Whatever is not said to be an import is a look.
        is_look = act != IMPORT
        found = import_upload(given["file"], user, strict=given["strict"], dry_run=is_look)
        is_stopped = given["strict"] and bool(found.failed)
        return {"form": form, **_done(found, is_written=not is_look, is_stopped=is_stopped)}
    except ImportFileError as error:
        return {"form": form, "problem": str(error)}
    except IntegrityError:
        return {
            "form": form,
            "problem": gettext(
                "Somebody else changed the prompts meanwhile. Import the file again: what is there stays."
            ),
        }
    except EmbedderError as error:
        told = gettext("The prompts are saved, but cannot be searched yet.")
        return {"form": form, "problem": f"{told} {error}"}


def _done(found: ImportResult, *, is_written: bool, is_stopped: bool = False) -> dict[str, Any]:
    return {
        "found": found,
        "is_written": is_written and not is_stopped,
        "is_stopped": is_stopped,
        "refused": found.failed[:_SHOWN],
        "more_refused": max(0, len(found.failed) - _SHOWN),
        "notes": found.notes[:_SHOWN],
    }


def show_export(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """The form; with a format the file."""
    form = ExportForm(request.GET if "format" in request.GET else None, initial={"format": "jsonl"})
    problem = ""
    if form.is_bound and form.is_valid():
        try:
            return _send(request, form.cleaned_data)
        except ImportFileError as error:
            problem = str(error)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": gettext("Export prompts"),
        "form": form,
        "formats": [(name, title, what) for name, (title, what, _end) in FORMATS.items()],
        "chosen": form["format"].value(),
        "problem": problem,
    }
    status = 400 if problem or form.errors else 200
    return TemplateResponse(request, "admin/prompts/prompt/export.html", context, status=status)


def _send(request: HttpRequest, chosen: dict[str, Any]) -> StreamingHttpResponse:
    """A file that is whole before the first of it is sent. E-mail addresses are for who may view users."""
    format, history = chosen["format"], not chosen["latest"]
    selection = Selection(chosen["folder"], chosen["tag"], chosen["label"], history)
    name = f"prompts{FORMATS[format][2]}"
    with TemporaryDirectory(prefix="afn-export-") as folder:
        path = Path(folder, name)
        if format == "jsonl":
            with_emails = cast(User, request.user).has_perm("prompts.view_user")
            with path.open("w", encoding="utf-8") as file:
                file.writelines(export_lines(selection, with_emails=with_emails))
        else:
            export_prompts(path, selection, format=format)
        opened = path.open("rb")  # and stays readable without its folder
    pieces = _later(opened) if isinstance(request, ASGIRequest) else _pieces(opened)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type="application/octet-stream", headers=disposition)


def _pieces(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while piece := opened.read(_PIECE):
            yield piece


async def _later(opened: BinaryIO) -> AsyncIterator[bytes]:
    """By ASGI Django would read all of it into memory first."""
    with opened:
        while piece := await sync_to_async(opened.read, thread_sensitive=False)(_PIECE):
            yield piece
