"""Chroma's server, `chroma run`: by its own client, and by JSON over one connection."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import chromadb
from chromadb.config import Settings

from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.measuring import Matrix
from vectors.benchmarking.web_client import HOST, WebClient, free_port, start, wait_for

_QUERY: Final = "/api/v2/tenants/default_tenant/databases/default_database/collections/{}/query"


class ChromaRun(Library):
    ways: ClassVar[dict[str, dict[str, Any]]] = {
        "chroma run, JSON": {"by_client": False},
        "chroma run, its client": {"by_client": True},
    }
    versions: ClassVar[Sequence[str]] = ("chromadb",)
    batch: ClassVar[int] = 1_000
    is_server: ClassVar[bool] = True
    _server: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        port = free_port()
        program = str(Path(sys.executable).with_name("chroma"))
        command = [program, "run", "--path", str(self.folder), "--host", HOST, "--port", str(port)]
        self._server = start(command)
        wait_for(self._server, port)
        client = chromadb.HttpClient(host=HOST, port=port, settings=Settings(anonymized_telemetry=False))
        self._collection: Any = client.create_collection(
            "rows", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        self._path = _QUERY.format(self._collection.id)
        self._web = WebClient(port)

    def add(self, first: int, chunk: Matrix) -> None:
        numbers = range(first, first + len(chunk))
        texts = [f"row {number}" for number in numbers]
        self._collection.add(ids=list(map(str, numbers)), embeddings=chunk, documents=texts)

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        include = ["documents", "metadatas", "distances"]
        if settings["by_client"]:
            found = self._collection.query(query_embeddings=[query], n_results=k, include=include)
        else:
            asked = {"query_embeddings": [query.tolist()], "n_results": k, "include": include}
            found = self._web.send_json(self._path, asked)
        return [int(key) for key in found["ids"][0]]

    def close(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
