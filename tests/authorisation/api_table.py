"""What each operation of both APIs asks for: one row an operation. One without a row fails the tests.

A row names the class of the operation, and where the values of its path and body are not those of FILL and
of the example in the OpenAPI schema, those too; `done` is the status that whoever may call gets.
"""

from dataclasses import dataclass, field
from typing import Any

UNKNOWN, REFUSED = 401, 403
KEYS_THAT_ARE_OVER = ("wrong key", "revoked key of an admin", "expired key of an admin")
ALL = (
    "anonymous", *KEYS_THAT_ARE_OVER, "reader", "reader's session", "editor", "editor's session",
    "editor on another's", "admin", "admin's session", "admin's session without CSRF token", "superuser",
    "superuser's session", "write-only key of an admin", "read-only key of an admin",
)  # fmt: skip
SESSIONS = tuple(name for name in ALL if "session" in name)


def _class(**may: bool) -> dict[str, int]:
    """Statuses by caller; 0 where the caller may. `without_csrf` is the session that lacks the token."""
    nobody = dict.fromkeys(("anonymous", *KEYS_THAT_ARE_OVER), UNKNOWN)
    names = {
        "reader": ("reader", "reader's session"),
        "editor": ("editor", "editor's session"),
        "others": ("editor on another's",),
        "admin": ("admin", "admin's session"),
        "without_csrf": ("admin's session without CSRF token",),
        "superuser": ("superuser", "superuser's session"),
        "write_only": ("write-only key of an admin",),
        "read_only": ("read-only key of an admin",),
    }
    return nobody | {one: 0 if may[part] else REFUSED for part, ones in names.items() for one in ones}


def _changing(**may: bool) -> dict[str, int]:
    return _class(superuser=True, write_only=may["admin"], read_only=False, without_csrf=False, **may)


# By class of operation. Reading is open to every account, but not to a key that may only write.
CLASSES: dict[str, dict[str, int]] = {
    "open": dict.fromkeys(ALL, 0),
    "reading": _class(reader=True, editor=True, others=True, admin=True, superuser=True,
                      without_csrf=True, write_only=False, read_only=True),
    # A POST that reads: a browser has to send its token with every POST.
    "reading by POST": _class(reader=True, editor=True, others=True, admin=True, superuser=True,
                              without_csrf=False, write_only=False, read_only=True),
    # Reading that takes a permission takes the scope to write, too.
    "reading of admins": _class(reader=False, editor=False, others=False, admin=True, superuser=True,
                                without_csrf=True, write_only=True, read_only=False),
    "reading of own keys": _class(reader=True, editor=True, others=True, admin=True, superuser=True,
                                  without_csrf=True, write_only=True, read_only=False),
    "own keys": _changing(reader=True, editor=True, others=True, admin=True),
    # To others a key of somebody's is not there.
    "revoking": _changing(reader=False, editor=True, others=False, admin=True)
    | dict.fromkeys(("reader", "reader's session", "editor on another's"), 404),
    # The key has the scope to read, which nobody gets out of a key that lacks it.
    "rotating": _changing(reader=False, editor=True, others=False, admin=True)
    | dict.fromkeys(("reader", "reader's session", "editor on another's"), 404)
    | {"write-only key of an admin": REFUSED},
    # As "reading by POST", but a session gets none: its cookie counts where tickets do.
    "tickets": _class(reader=True, editor=True, others=True, admin=True, superuser=True,
                      without_csrf=False, write_only=False, read_only=True)
    | dict.fromkeys(SESSIONS, REFUSED),
    "writing": _changing(reader=False, editor=True, others=True, admin=True),
    "writing of the owner": _changing(reader=False, editor=True, others=False, admin=True),
    "writing of admins": _changing(reader=False, editor=False, others=False, admin=True),
    "writing of superusers": _changing(reader=False, editor=False, others=False, admin=False),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    kind: str
    done: int = 200
    body: Any = None
    path: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    content_type: str = "application/json"


# Values of path parameters: a text, or the name of one of `World.own` in brackets.
FILL = {"ref": "[prompt]", "version": 1, "label": "staging", "key": "faq/refunds", "name": "notes"}
DATASET, LIBRARY = {"name": "questions"}, {"name": "[prompt_name]"}
SPLIT = {"label": "split"}
RUN = {"prompt": "of-editor", "dataset": "questions", "metrics": [{"type": "exact_match"}]}
SCORE = {"traceId": "t", "name": "quality", "value": 1}
PROMPT = {"name": "greeting", "title": "Greeting", "content": "Hello {{name}}", "labels": ["staging"]}
RENAMED = {"name": "greeting", "prompt": "Hello {{name}}", "labels": ["production"]}
V1 = {
    "GET /prompts": Row("reading"),
    "POST /prompts": Row("writing", 201, PROMPT),
    "GET /prompts/by-name/{name}": Row("reading", path=LIBRARY),
    "GET /prompts/{ref}": Row("reading"),
    "PATCH /prompts/{ref}": Row("writing of the owner", body={"title": "Another"}),
    "DELETE /prompts/{ref}": Row("writing of the owner", 204),
    "POST /prompts/{ref}/archive": Row("writing of the owner"),
    "GET /bundle": Row("reading", query="label=production"),
    "GET /search": Row("reading", query="q=hello&mode=keyword"),
    "GET /prompts/{ref}/versions": Row("reading"),
    "POST /prompts/{ref}/versions": Row("writing of the owner", 201, {"content": "Five"}),
    "GET /prompts/{ref}/versions/{version}": Row("reading"),
    "DELETE /prompts/{ref}/versions/{version}": Row("writing of the owner", 204, path={"version": 3}),
    "POST /prompts/{ref}/versions/{version}/restore": Row("writing of the owner", 201, {}),
    "GET /prompts/{ref}/diff": Row("reading", query="from=1&to=2"),
    "GET /prompts/{ref}/blame": Row("reading"),
    "GET /prompts/{ref}/dependants": Row("reading"),
    "GET /prompts/{ref}/graph": Row("reading"),
    "POST /prompts/{ref}/render": Row("reading by POST", body={"variables": {"name": "you"}}),
    "GET /prompts/{ref}/labels": Row("reading"),
    "PUT /prompts/{ref}/labels/{label}": Row("writing of the owner", body={"version": 2}),
    "DELETE /prompts/{ref}/labels/{label}": Row("writing of the owner"),
    "POST /prompts/{ref}/labels/{label}/undo": Row("writing of the owner", body={}),
    "GET /prompts/{ref}/labels/{label}/evidence": Row("reading", query="version=2"),
    "GET /prompts/{ref}/labels/{label}/split": Row("reading", path=SPLIT),
    "POST /prompts/{ref}/labels/{label}/split": Row(
        "writing of the owner",
        201,
        {"arms": [{"version": 1, "weight": 1}, {"version": 2, "weight": 1}]},
    ),
    "DELETE /prompts/{ref}/labels/{label}/split": Row("writing of the owner", path=SPLIT),
    # Nobody was served by the split: 404 is what whoever may gets.
    "POST /prompts/{ref}/labels/{label}/outcomes": Row("writing", 404, path=SPLIT),
    "GET /prompts/{ref}/moves": Row("reading"),
    "GET /prompts/{ref}/evaluations": Row("reading"),
    "POST /prompts/{ref}/evaluations": Row("writing", 201, {"score": 1}),
    "GET /prompts/{ref}/comparison": Row("reading", query="from=1&to=2"),
    "GET /prompts/{ref}/scores": Row("reading"),
    "GET /export": Row("reading"),
    "POST /import": Row(
        "writing of admins",
        body=b'{"name": "imported", "versions": [{"number": 1, "content": "Hello"}]}\n',
        content_type="application/x-ndjson",
    ),
    "GET /trash": Row("reading"),
    "GET /trash/versions": Row("reading"),
    "POST /trash/{id}/restore": Row("writing of the owner", body={}, path={"id": "[trashed]"}),
    "POST /prompts/{ref}/trash/{version}/restore": Row("writing of the owner", 204, path={"version": 4}),
    "GET /keys": Row("reading of own keys"),
    "POST /keys": Row("own keys", 201, {"name": "website", "scopes": ["write"]}),
    "DELETE /keys/{id}": Row("revoking", 204, path={"id": "[key]"}),
    "POST /keys/{id}/rotate": Row("rotating", path={"id": "[key]"}),
    "GET /labels": Row("reading"),
    "PUT /labels/{label}": Row("writing of admins"),
    "DELETE /labels/{label}": Row("writing of admins", 204, path={"label": "guarded"}),
    "GET /datasets": Row("reading"),
    "POST /datasets": Row("writing", 201),
    "GET /datasets/{name}": Row("reading", path=DATASET),
    "DELETE /datasets/{name}": Row("writing of admins", 204, path=DATASET),
    "GET /datasets/{name}/items": Row("reading", path=DATASET),
    "PUT /datasets/{name}/items": Row("writing", body={"items": [{"key": "q2"}]}, path=DATASET),
    "DELETE /datasets/{name}/items/{key}": Row("writing", 204, path=DATASET | {"key": "q1"}),
    "GET /runs": Row("reading"),
    "POST /runs": Row("writing", 201, RUN),
    "GET /runs/{id}": Row("reading", path={"id": "[run]"}),
    "POST /runs/{id}/cancel": Row("writing", path={"id": "[run]"}),
    "GET /runs/{id}/results": Row("reading", path={"id": "[run]"}),
    "POST /runs/{id}/results": Row("writing", path={"id": "[run]"}),
    "GET /vectors/collections": Row("reading"),
    "POST /vectors/collections": Row("writing of admins", 201),
    "GET /vectors/collections/{name}": Row("reading"),
    "PATCH /vectors/collections/{name}": Row("writing of admins", body={"metadata_schema": {}}),
    "DELETE /vectors/collections/{name}": Row("writing of admins", 204),
    "PUT /vectors/collections/{name}/items": Row(
        "writing of admins", body={"items": [{"key": "a", "text": "Within five days."}]}
    ),
    "GET /vectors/collections/{name}/items/{key}": Row("reading"),
    "DELETE /vectors/collections/{name}/items/{key}": Row("writing of admins", 204),
    "POST /vectors/collections/{name}/get": Row("reading by POST"),
    "POST /vectors/collections/{name}/scroll": Row("reading by POST"),
    "POST /vectors/collections/{name}/count": Row("reading by POST"),
    "POST /vectors/collections/{name}/facet": Row("reading by POST"),
    "POST /vectors/collections/{name}/delete": Row("writing of admins"),
    "GET /vectors/collections/{name}/export": Row("reading"),
    "POST /vectors/collections/{name}/import": Row(
        "writing of admins",
        body=b'{"key": "a", "text": "Within five days."}\n',
        content_type="application/x-ndjson",
    ),
    "POST /vectors/collections/{name}/search": Row("reading by POST"),
    "POST /vectors/collections/{name}/searches": Row("reading by POST"),
    "GET /vectors/collections/{name}/judgements": Row("reading"),
    "PUT /vectors/collections/{name}/judgements": Row("writing"),
    "DELETE /vectors/collections/{name}/judgements/{id}": Row(
        "writing of admins", 204, path={"id": "[judgement]"}
    ),
    "GET /vectors/collections/{name}/runs": Row("reading"),
    "GET /environments": Row("reading of admins"),
    "GET /environments/{name}": Row("reading of admins", path={"name": "prod"}),
    # Their databases have no tables of AFN's: whoever may is told so with 409.
    "GET /environments/{left}/diff/{right}": Row(
        "reading of admins", 409, path={"left": "prod", "right": "spare"}
    ),
    "POST /environments/{target}/merge": Row(
        "writing of superusers", 409, {"source": "spare"}, {"target": "prod"}
    ),
    "POST /environments": Row("writing of superusers", 409, {"name": "spare", "source": "prod"}),
    "POST /environments/{name}/freeze": Row("writing of superusers", path={"name": "spare"}),
    "POST /environments/{name}/unfreeze": Row("writing of superusers", path={"name": "spare"}),
    # There is no webhook of this id: whoever may is told so.
    "GET /webhooks": Row("reading of admins"),
    "POST /webhooks": Row("writing of admins", 422, {}),
    "GET /webhooks/{id}": Row("reading of admins", 404, path={"id": "1"}),
    "PATCH /webhooks/{id}": Row("writing of admins", 404, {}, {"id": "1"}),
    "DELETE /webhooks/{id}": Row("writing of admins", 404, path={"id": "1"}),
    "POST /webhooks/{id}/rotate": Row("writing of admins", 404, path={"id": "1"}),
    "POST /webhooks/{id}/ping": Row("writing of admins", 404, path={"id": "1"}),
    "GET /webhooks/{id}/deliveries": Row("reading of admins", 404, path={"id": "1"}),
    "POST /deliveries/{id}/replay": Row("writing of admins", 404, path={"id": "1"}),
    "POST /realtime/tickets": Row("tickets", 201),
    "GET /alerts": Row("reading of admins"),
    "GET /audit": Row("reading of admins"),
    "GET /slow-queries": Row("reading of admins"),
    "GET /jobs": Row("reading of admins"),
    "GET /jobs/{id}": Row("reading of admins", path={"id": "[job]"}),
    "POST /jobs/{id}/cancel": Row("writing of admins", path={"id": "[job]"}),
    "POST /jobs/{id}/retry": Row("writing of admins", path={"id": "[failed_job]"}),
    # The main one, which nobody can delete.
    "DELETE /environments/{name}": Row("writing of superusers", 409, path={"name": "prod"}),
}
# An SDK of Langfuse has a pair of keys. A session does not count there, nor does public reading.
PUBLIC = {
    "GET /health": Row("open"),
    "GET /projects": Row("reading"),
    "POST /otel/v1/traces": Row("reading by POST", body={}),
    "GET /v2/prompts": Row("reading"),
    "POST /v2/prompts": Row("writing", 201, RENAMED),
    "GET /v2/prompts/{name}": Row("reading", path=LIBRARY),
    "DELETE /v2/prompts/{name}": Row("writing of the owner", 204, path=LIBRARY),
    "PATCH /v2/prompts/{name}/versions/{version}": Row(
        "writing of the owner", body={"newLabels": ["staging"]}, path=LIBRARY | {"version": 2}
    ),
    "GET /v2/prompts/{name}/versions/{version}": Row("reading", 404, path=LIBRARY),
    # There is none of that name, so no owner either.
    "DELETE /v2/prompts/{name}/versions/{version}": Row("writing", 404, path=LIBRARY),
    "POST /scores": Row("writing", body=SCORE),
    "GET /scores": Row("reading"),
    "GET /v2/scores": Row("reading"),
    "GET /v3/scores": Row("reading"),
    "GET /v2/scores/{id}": Row("reading", path={"id": "[score]"}),
    "DELETE /scores/{id}": Row("writing of the owner", 202, path={"id": "[score]"}),
    "POST /ingestion": Row("writing", 207, {"batch": []}),
}
# Written here as the schema writes them, with their prefix.
ROWS = {
    f"{method} {prefix}{path}": row
    for prefix, rows in (("/api/v1", V1), ("/api/public", PUBLIC))
    for (method, path), row in ((name.split(" "), row) for name, row in rows.items())
}


def expected(name: str, caller: str) -> int:
    """The status that `caller` gets from the operation `name`."""
    row = ROWS[name]
    if name.partition(" ")[2].startswith("/api/public") and row.kind != "open" and caller in SESSIONS:
        return UNKNOWN
    return CLASSES[row.kind][caller] or row.done
