"""The change of a collection's embedding model: estimate, fill, compare, switch, go back, end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from vectors.admin.pages.base import back_to, check_change, render, start_work, status_of
from vectors.admin.pages.progress import progress
from vectors.embedders import names
from vectors.errors import InvalidQuery, VectorError, shown
from vectors.migrating import changing
from vectors.migrating.estimating import estimate
from vectors.migrating.filling import Pace
from vectors.migrating.models import EmbeddingMigration
from vectors.models import Collection

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

_FIELDS: Final = ("embedder", "model", "dimensions", "rate", "price")


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    context: dict[str, Any] = {}
    if request.method == "POST":
        check_change(model_admin, request, collection)
        form = {name: request.POST.get(name, "").strip()[:200] for name in _FIELDS}
        context = {"form": form, "is_forced": request.POST.get("force") == "on"}
        try:
            if request.POST.get("action") == "estimate":
                context |= _estimated(collection, form)
            else:
                return _act(model_admin, request, collection, form)
        except VectorError as error:
            context["problem"] = error
    # Its name may be another space's by now.
    collection = model_admin.get_queryset(request).filter(pk=collection.pk).first() or collection
    return render(
        model_admin,
        request,
        collection,
        "migration",
        {"embedders": names(), **_state(request, collection), **context},
        status=status_of(context.get("problem")),
    )


def _state(request: HttpRequest, collection: Collection) -> dict[str, Any]:
    migration = changing.find(collection)
    found = {
        "fill": progress(request, collection, "migrate_embeddings"),
        "judge": progress(request, collection, "judge_migration"),
    }
    if migration is None:
        return found
    state = changing.state_of(migration)
    verdict = state["verdict"]
    overlap = verdict["overlap@10"] if verdict else None
    return found | {
        "spaces": [
            {**state[which], "title": title, "is_live": state["live"] == which}
            for which, title in (("old", _("Old")), ("new", _("New")))
        ],
        "filled": state["rows"] - state["rows_missing"],
        "overlap": None if overlap is None else 100 * overlap,
        "migration": migration,
        "state": state,
        "verdict": verdict,
        "judged_at": parse_datetime(verdict["at"]) if verdict else None,
        "figures": _figures(verdict) if verdict else [],
        "needs_force": bool(state["rows_missing"]) or not verdict or verdict["advice"] == "stay",
    }


def _figures(verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the table: old and new side by side, and the interval of what changes."""
    relevance, latency, size = verdict["relevance"] or {}, verdict["p50_ms"], verdict["bytes"]
    modes = {"hybrid": _("nDCG@10, hybrid"), "semantic": _("nDCG@10, by meaning")}
    found = [
        {
            "title": title,
            "old": relevance[mode]["old"]["mean"],
            "new": relevance[mode]["new"]["mean"],
            "change": relevance[mode]["difference"],
            "kind": "score",
        }
        for mode, title in modes.items()
        if mode in relevance
    ]
    times = {"search": _("Search, median ms"), "embedding": _("Embedding a query, median ms")}
    found += [
        {"title": title, "old": latency["old"][name], "new": latency["new"][name], "kind": "ms"}
        for name, title in times.items()
    ]
    found.append({"title": _("Embeddings and index"), **size, "kind": "bytes"})
    found.append(
        {"title": _("Rows"), "old": verdict["rows"]["old"], "new": verdict["rows"]["new"], "kind": "count"}
    )
    return found


def _estimated(collection: Collection, form: Mapping[str, str]) -> dict[str, Any]:
    change = _change(collection, form)
    alias = str(change.collection._state.db)
    rate, price = _number(form, "rate"), _number(form, "price")
    Pace(rate=rate)
    cost = estimate(change.collection, None, change.embedder, alias, rate=rate, price=price)
    return {"change": change, "estimate": cost, "tokens": sum(cost.tokens.values())}


def _change(collection: Collection, form: Mapping[str, str]) -> changing.Change:
    dimensions = form["dimensions"]
    if dimensions and not (dimensions.isascii() and dimensions.isdigit() and len(dimensions) < 6):
        raise InvalidQuery("dimensions", "a number, or nothing", shown(dimensions))
    return changing.plan(
        changing.named(collection.name),
        form["embedder"],
        form["model"],
        int(dimensions) if dimensions else None,
    )


def _number(form: Mapping[str, str], name: str) -> float | None:
    if not form[name]:
        return None
    try:
        value = float(form[name])
    except ValueError as error:
        raise InvalidQuery(name, "a number, or nothing", shown(form[name])) from error
    if not 0 < value < 1e12:
        raise InvalidQuery(name, "a number above 0", shown(form[name]))
    return value


def _act(
    model_admin: CollectionAdmin, request: HttpRequest, collection: Collection, form: Mapping[str, str]
) -> HttpResponse:
    action = request.POST.get("action", "")
    if action == "start":
        change = _change(collection, form)
        arguments = {"embedder": form["embedder"], "model": form["model"], "rate": _number(form, "rate")}
        given = {name: value for name, value in arguments.items() if value}
        given["dimensions"] = change.embedder.dimensions
        start_work(request, "migrate_embeddings", {"collection": collection.name, **given})
        said = _("The second space is filled in the background; searches go on in the first.")
    elif action == "fill":
        start_work(request, "migrate_embeddings", {"collection": collection.name})
        said = _("What is missing is filled in the background.")
    elif action == "judge":
        start_work(request, "judge_migration", {"collection": collection.name})
        said = _("Both spaces are compared in the background.")
    elif action in _DANGEROUS:
        return _do(model_admin, request, collection, action)
    else:
        raise InvalidQuery("action", "one of this page's buttons", shown(action[:64]))
    messages.success(request, said)
    return back_to("migration", collection)


def _do(
    model_admin: CollectionAdmin, request: HttpRequest, collection: Collection, action: str
) -> HttpResponse:
    """What changes what is searched, or deletes: only with the collection's name typed in."""
    typed = request.POST.get("confirmation", "").strip()
    if typed != collection.name:
        raise InvalidQuery("confirmation", f"the name {collection.name}", shown(typed[:128]))
    migration = changing.get(changing.named(collection.name))
    said, logged = _DANGEROUS[action](migration, request.POST.get("force") == "on")
    searched = changing.named(collection.name)
    model_admin.log_change(request, searched, logged)
    messages.success(request, said)
    return back_to("migration", searched)


def _switch(migration: EmbeddingMigration, force: bool) -> tuple[str, str]:
    changing.switch(migration, force=force)
    said = _("Searches go by the new embeddings now. Tune the keyword weights for them.")
    return said, "Switched to the new embeddings."


def _roll_back(migration: EmbeddingMigration, force: bool) -> tuple[str, str]:
    changing.roll_back(migration, force=force)
    return _("Searches go by the old embeddings again."), "Went back to the old embeddings."


def _drop(migration: EmbeddingMigration, force: bool) -> tuple[str, str]:
    changing.drop(migration)
    said = _("The migration is over; the embeddings that were not searched are gone.")
    return said, "Dropped the embeddings that were not searched."


_DANGEROUS: Final[dict[str, Callable[[EmbeddingMigration, bool], tuple[str, str]]]] = {
    "switch": _switch,
    "rollback": _roll_back,
    "drop": _drop,
}
