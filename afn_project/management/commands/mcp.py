"""Serve MCP to the program that started this one."""

import asyncio
import logging
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import CommandError
from mcp.server.stdio import stdio_server

from afn_project.mcp_callers import LocalCaller
from afn_project.mcp_errors import describe
from ops.audit.context import acting
from ops.audit.models import Source
from prompts.accounts import find_author
from prompts.mcp_server.server import build_server
from vectors import commands

logger = logging.getLogger(__name__)


class Command(commands.Command):
    help = "Serve MCP over standard input and output, for an assistant or editor that starts it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--user", help="name or e-mail of whom it acts for (default: the first superuser)"
        )

    def handle(self, *args: object, **options: Any) -> None:
        user = find_author(options["user"])
        if not user.is_active:
            raise CommandError(
                f"--user: expected an account that is open, got {user.username}, a closed one."
            )
        logger.info("Serving MCP for %s", user.username)
        with suppress(KeyboardInterrupt), acting(Source.MCP, user):
            asyncio.run(_serve(LocalCaller(user)))


async def _serve(caller: LocalCaller) -> None:
    """Nothing but the protocol reaches the output: what else is printed goes where the log goes."""
    server = build_server(lambda context: caller, describe)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
